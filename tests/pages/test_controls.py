"""Sliders of shares and of days: what they show, what they return, and links, older ones too."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def app() -> None:
    from dataclasses import dataclass
    from typing import Annotated, Literal

    import streamlit as st

    from engine.ranges import SHARE, Choice, Params, Range
    from pages.shell import controls

    @dataclass(frozen=True, slots=True, kw_only=True)
    class ToyParams(Params):
        late: Annotated[float, SHARE] = 0.2
        dose: Annotated[float, Choice((0.0, 0.05, 0.5))] = 0.0
        first_day: Annotated[int, Range(1, 364, most=337)] = 39
        rows: Literal["all", "thinned to 0.1%"] = "all"

    default = ToyParams()
    drawn = ToyParams(
        late=controls.slider(default, "late", "Late rows", help="…", percent=True),
        dose=controls.slider(default, "dose", "Dose", help="…", percent=True),
        first_day=controls.day_slider(default, "first_day", "First day", help="…"),
        rows=controls.segmented(default, "rows", "Rows", help="…"),
    )
    st.json([drawn.late, drawn.dose, drawn.first_day, drawn.rows])
    st.json({name: st.query_params.get(name) for name in ("toy_late", "toy_first_day")})


def opened(**query: str) -> AppTest:
    test = AppTest.from_function(app)
    for key, value in query.items():
        test.query_params[key] = value
    return test.run()


def test_a_share_is_shown_in_per_cent_and_a_day_as_a_date() -> None:
    page = opened()
    assert not page.exception and page.json[0].value == '[0.2, 0.0, 39, "all"]'
    assert page.slider(key="toy_late").proto.format == "percent"
    assert page.select_slider(key="toy_dose").options == ["0%", "5%", "50%"]
    days = page.select_slider(key="toy_first_day")
    assert days.options[0] == "1 Jan 2013" and days.options[38] == "8 Feb 2013"
    assert len(days.options) == 337 and days.value == 39


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ({"toy_late": "0.05"}, [0.05, 0.0, 39, "all"]),
        ({"toy_dose": "5%"}, [0.2, 0.05, 39, "all"]),
        ({"toy_dose": "0.05"}, [0.2, 0.05, 39, "all"]),
        ({"toy_dose": "5.0%"}, [0.2, 0.05, 39, "all"]),
        ({"toy_first_day": "4 Jan 2013"}, [0.2, 0.0, 4, "all"]),
        ({"toy_first_day": "04 Jan 2013"}, [0.2, 0.0, 4, "all"]),
        ({"toy_first_day": "32"}, [0.2, 0.0, 32, "all"]),
        ({"toy_first_day": "338"}, [0.2, 0.0, 39, "all"]),
        ({"toy_rows": "thinned to 0.1 %"}, [0.2, 0.0, 39, "thinned to 0.1%"]),
        ({"toy_dose": "nonsense", "toy_rows": "%"}, [0.2, 0.0, 39, "all"]),
    ],
)
def test_a_link_sets_them_today_s_or_an_older_one(query: dict[str, str], value: list[Any]) -> None:
    page = opened(**query)
    assert not page.exception
    assert page.json[0].value.replace('"', "'") == str(value)


def test_a_scene_sets_the_number_and_a_person_moves_on_from_there() -> None:
    page = opened(toy_first_day="32")
    page.session_state["toy_first_day"] = 60
    page.run()
    assert page.json[0].value == '[0.2, 0.0, 60, "all"]'
    page.select_slider(key="toy_first_day").set_value(61).run()
    assert page.json[0].value == '[0.2, 0.0, 61, "all"]' and not page.exception
