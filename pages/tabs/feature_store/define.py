"""Define, inside the tab *Registry*: a feature view made here, which Feast takes or refuses."""

from __future__ import annotations

import streamlit as st

from engine.feature_store.define import DefineParams, DefineResult, expected, steps
from engine.feature_store.define import figure as figures
from engine.feature_store.define.result import NONE, definition
from pages.shell import controls, lab, texts, work
from pages.tabs.feature_store.subjects import DEFINE, REGISTRY

D = DefineParams()


def _params() -> DefineParams:
    REGISTRY.choose(DEFINE)
    # typed here and never set by a link: what it names is registered without a further press
    name = controls.text(
        D, "name", "Name", bind=None,
        help="Try a colon or an @: Feast needs both for its own references",
    )  # fmt: skip
    entity = controls.segmented(D, "entity", "Entity", help="What one row is about")
    ttl = controls.slider(
        D, "ttl_hours", "TTL, h", help="Maximum age of a value in training; 0: no limit"
    )
    first = controls.selectbox(
        D, "first", "Field 1", help="Columns of planes, of airports, and the join keys of both"
    )
    first_type = controls.selectbox(D, "first_type", "Type 1", help="Feast's own types")
    second = controls.selectbox(D, "second", "Field 2", help=f"{NONE}: one field is enough")
    second_type = controls.selectbox(
        D, "second_type", "Type 2", help="Feast's own types", disabled=second == NONE
    )
    return DefineParams(
        name=name,
        entity=entity,
        ttl_hours=ttl,
        first=first,
        first_type=first_type,
        second=second,
        second_type=second_type,
    )


def _show(result: DefineResult) -> None:
    with lab.screen("feature_store", "define", result) as screen:
        screen.answer(
            figures.labels(result),
            "define_labels",
            "The rows of one key over time, and the row that each label gets",
        )
        st.code(definition(result.params), language="python")
        if result.complete:
            texts.table(result.label_rows(), "Labels, the row that each joins, and Feast's answer")


def _output(params: DefineParams) -> None:
    work.run("define", params, steps, _show, first=lambda: expected(params))


show = lab.tab("feature_store", "define", _params, _output)
