"""A person's text stays text; that no link is drawn of it is seen in
``tests/browser/test_outside.py``.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import texts
from engine.errors import InputError, require


@pytest.mark.parametrize(
    "text",
    [
        "k_neighbors must be 1–50. Got 51.",
        "Largest partition: 3.1× the mean, 2 of 8 empty (**57** rows).",
        ":red[**Wrong**] · `x <= 3`",
        "a < b and c > d; [1, 2]; {'a': [1]}; 5 & 6; C:\\temp",
    ],
)
def test_a_text_without_marks_comes_back_unchanged(text: str) -> None:
    assert texts.inert(text) == text


@given(st.text(alphabet="[]()<>!ahtpw.:/@&#;\\x1 ", max_size=40))
def test_nothing_is_lost_and_doing_it_twice_changes_no_more(text: str) -> None:
    once = texts.inert(text)
    assert once.replace(texts.JOINER, "") == text.replace(texts.JOINER, "")
    assert texts.inert(once) == once
    for mark in ("](", "][", "]:", "http:", "www."):
        assert mark not in once


def test_the_tags_of_a_figure_stay_and_those_of_a_column_do_not() -> None:
    label = texts.inert_label('<b>CSV</b><br><a href="http://evil.example">x</a><extra></extra>')
    assert label.startswith("<b>CSV</b><br><\u2060a href=") and label.endswith(
        "<\u2060/a><extra></extra>"
    )
    tree = texts.inert_tree({"data": [{"y": ("<a>", 1.5, None)}]})
    assert tree == {"data": [{"y": ("<\u2060a>", 1.5, None)}]}


def test_cells_keep_their_numbers() -> None:
    assert texts.inert_cells([{"[a](b)": 3, "c": "[d](e)"}]) == [
        {"[a]\u2060(b)": 3, "c": "[d]\u2060(e)"}
    ]


def test_an_error_quotes_what_was_given_and_no_more_of_it_than_is_read() -> None:
    with pytest.raises(InputError) as caught:
        require(
            False,
            "name must be short. Got {!r}.",
            "![x](http://evil.example/x.png)" + "a" * 100_000,
        )
    text = str(caught.value)
    assert (
        text.startswith("name must be short. Got '![x]\u2060(http\u2060://evil")
        and len(text) < 1_600
    )
