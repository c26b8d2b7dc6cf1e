"""Widgets of Params: key, default, range and binding come from the field, each written once.

``slider(D, "k_neighbors", "Neighbors k", help="…")`` takes all but its label and help from the
default Params ``D`` and from what the field declares (``engine.ranges``). The key is
``<experiment>_<field>``, by which scenes, links and Reset find the widget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from engine.ranges import Choice, Choices, Interval, Params, Range, Text, rule_of
from engine.units import day_of_2013, format_day, format_share
from pages.shell.older_links import accept_older_link

BOUND: dict[str, Any] = {"bind": "query-params"}
V = TypeVar("V", bound=str)


def experiment_of(params: Params) -> str:
    """Return the experiment of a Params object by its class: ``BytesReadParams`` is
    ``bytes_read``'s.
    """
    name = type(params).__name__.removesuffix("Params")
    return params.experiment or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def key_of(params: Params, field: str) -> str:
    """Return the widget key of a field."""
    return f"{experiment_of(params)}_{field}"


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _select_slider(label: str, options: Sequence[Any], value: Any, named: dict[str, Any]) -> Any:
    named = {"format_func": _number, **named}
    accept_older_link(named["key"], options, named["format_func"])
    return st.select_slider(label, options, value, **named)


def slider(
    params: Params,
    field: str,
    label: str,
    *,
    help: str,
    options: Sequence[Any] = (),
    most: Any = None,
    key: str = "",
    percent: bool = False,
    **more: Any,
) -> Any:
    """Draw the slider of a number or of an interval; a range with ``options``, declared or given,
    offers those.

    ``percent`` shows a share, 0–1, as ``5%``; the value and the link stay 0.05.

    Where the number that the session holds is none of the options given, the first takes its place.
    ``most`` is the highest number that there is just now, where the page knows better.
    """
    rule, default = rule_of(params, field), getattr(params, field)
    key = key or key_of(params, field)
    named = {"key": key, "help": help, **BOUND, **more}
    listed = isinstance(rule, Choice) or bool(options or getattr(rule, "options", ()))
    if percent:
        named |= {"format_func": format_share} if listed else {"format": "percent"}
    if options:
        if st.session_state.get(key, default) not in options:
            st.session_state[key] = options[0]
        value = default if default in options else options[0]
        return _select_slider(label, options, value, named)
    if isinstance(rule, Interval):
        # a scene writes a list into the session, which the slider then returns as it stands
        return tuple(st.slider(label, rule.low, rule.high, default, rule.step, **named))
    if isinstance(rule, Choice):
        return _select_slider(label, rule.values, default, named)
    if not isinstance(rule, Range):
        raise TypeError(
            f"{field} must be a Range, an Interval or a Choice of numbers to have a slider"
        )
    if rule.options:
        return _select_slider(label, rule.options, default, named)
    kind = type(default)  # an int slider takes ints alone, a float slider floats
    most = most or (rule.high if rule.most is None else rule.most)
    step = None if rule.step is None else kind(rule.step)
    least = rule.low if rule.least is None else rule.least
    return st.slider(label, kind(least), kind(most), default, step, **named)


def day_slider(
    params: Params, field: str, label: str, *, help: str, key: str = "", **more: Any
) -> int:
    """Draw the slider of a day of 2013, a whole number from 1, as dates: ``8 Feb 2013`` for 39.

    The value and the session hold the number; a link holds the date, or the number as older ones.
    """
    rule = rule_of(params, field)
    if not isinstance(rule, Range):
        raise TypeError(f"{field} must be a Range of days to have a slider")
    least = rule.low if rule.least is None else rule.least
    most = rule.high if rule.most is None else rule.most
    days = range(int(least), int(most) + 1)
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    named["format_func"] = _day
    return int(_select_slider(label, days, getattr(params, field), named))


def _day(day: int) -> str:
    return format_day(day_of_2013(day))


def _values(params: Params, field: str, options: Sequence[Any] | None) -> Sequence[Any]:
    """Return what a field may be: ``options`` where the page knows better (columns of a table),
    else what is declared.
    """
    if options is not None:
        return options
    rule = rule_of(params, field)
    if not isinstance(rule, Choice | Choices):
        raise TypeError(f"{field} must be a Choice, or its control be given options")
    return rule.values


def segmented(
    params: Params,
    field: str,
    label: str,
    *,
    help: str,
    options: Sequence[Any] | None = None,
    key: str = "",
    **more: Any,
) -> Any:
    """Draw a choice of few values as a row of buttons, one of which is always down."""
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    values, default = _values(params, field, options), getattr(params, field)
    accept_older_link(named["key"], values, named.get("format_func", str))
    return st.segmented_control(label, values, default=default, required=True, **named)


def selectbox(
    params: Params,
    field: str,
    label: str,
    *,
    help: str,
    options: Sequence[Any] | None = None,
    key: str = "",
    **more: Any,
) -> Any:
    """Draw a choice of many values as a list that unfolds; a default that is no option gives way to
    the first.
    """
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    values, default = list(_values(params, field, options)), getattr(params, field)
    return st.selectbox(label, values, values.index(default) if default in values else 0, **named)


def multiselect(
    params: Params,
    field: str,
    label: str,
    *,
    help: str,
    options: Sequence[Any] | None = None,
    default: Sequence[Any] | None = None,
    key: str = "",
    **more: Any,
) -> tuple[Any, ...]:
    """Draw a choice of several values and return them as a tuple.

    If none of the chosen values is among ``options`` any more, as with the columns of another file,
    the default is chosen.
    """
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    chosen = list(getattr(params, field) if default is None else default)
    values = list(_values(params, field, options))
    held = st.session_state.get(named["key"])
    if held and not {*held} & {*values}:
        del st.session_state[named["key"]]
    return tuple(st.multiselect(label, values, default=chosen, **named))


def toggle(
    params: Params, field: str, label: str, *, help: str, key: str = "", **more: Any
) -> bool:
    """Draw a switch."""
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    return bool(st.toggle(label, getattr(params, field), **named))


def text(
    params: Params,
    field: str,
    label: str,
    *,
    help: str,
    area: bool = False,
    key: str = "",
    **more: Any,
) -> str:
    """Draw a field for text, of one line, or an area of several."""
    rule = rule_of(params, field)
    named = {"key": key or key_of(params, field), "help": help, **BOUND, **more}
    if isinstance(rule, Text):
        named = {"max_chars": rule.most, **named}
    draw: Callable[..., Any] = st.text_area if area else st.text_input
    return str(draw(label, getattr(params, field), **named))


def view(
    key: str,
    options: Sequence[V],
    label: str = "Look closer",
    default: V | None = None,
    **more: Any,
) -> V:
    """Draw a choice of what to look at, which is no setting of the run; its default, without one
    the first, stands under ``[views]`` in the TOML.
    """
    named = {"key": key, "label_visibility": "collapsed", **BOUND, **more}
    first: V = options[0] if default is None else default
    chosen = st.segmented_control(label, options, default=first, required=True, **named)
    return chosen or first
