"""Registry: the lineage of the lab's repository (or a visitor's own), and what a change of a view
does to its readers; inside the same tab, Feast's architecture and a view of one's own.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.feature_store import lab_repo
from engine.feature_store.own import registry as own_registry
from engine.feature_store.registry import RegistryParams, RegistryResult, expected, steps
from engine.feature_store.registry import figure as figures
from engine.feature_store.snapshot import KINDS, Snapshot, Thing
from pages.shell import controls, lab, texts, work
from pages.tabs.feature_store import calls, define
from pages.tabs.feature_store.own import replace_by_own
from pages.tabs.feature_store.subjects import CALLS, DEFINE, LINEAGE, REGISTRY

D = RegistryParams()
VIEWS = ("Readers", "Reuse", "Cards", "Definitions", "Commands")
CHOICES = ("everything", *KINDS)
ICONS = {
    "source": "database",
    "entity": "key",
    "feature view": "table_view",
    "on-demand view": "function",
    "feature service": "api",
    "model": "model_training",
}


def _params() -> RegistryParams:
    REGISTRY.choose(LINEAGE)
    focus = controls.selectbox(
        D, "focus", "Object", help="Its upstream and downstream are marked in the lineage"
    )
    change = controls.selectbox(
        D, "change", "Change to plane_history",
        help="Applied to the same registry, materialized, then read again",
    )  # fmt: skip
    return RegistryParams(focus=focus, change=change)


def _card(thing: Thing) -> None:
    with st.container(border=True):
        st.markdown(f":material/{ICONS[thing.kind]}: **{thing.name}**  \n:gray[{thing.kind}]")
        if thing.description:
            st.markdown(thing.description)
        tags = " ".join(f":blue-badge[{tag}: {value}]" for tag, value in thing.tags)
        owner = f":gray-badge[:material/person: {thing.owner}]" if thing.owner else ""
        if tags or owner:
            st.markdown(f"{owner} {tags}")
        facts = [f"{name}: {fact}" for name, fact in thing.facts]
        facts += [
            f"`{name}` {kind}{f', {unit}' if unit else ''}" for name, kind, unit in thing.features
        ]
        if facts:
            st.markdown("\n".join(f"- {fact}" for fact in facts))


def _cards(snapshot: Snapshot) -> None:
    kind = controls.view("registry_kind", CHOICES, "Kind", label_visibility="visible")
    with st.grid(3, min_column_width=260):
        for thing in snapshot.things:
            if kind in (CHOICES[0], thing.kind):
                _card(thing)


def _look_closer(result: RegistryResult) -> None:
    view = controls.view("registry_view", VIEWS)
    if view == "Cards":
        _cards(result.snapshot)
    elif view == "Definitions":
        st.caption(
            "definitions.py of this repository. Run `feast apply` in a folder with this file,"
            " feature_store.yaml and the data."
        )
        st.code(lab_repo.definitions_text(), language="python", height=480)
    elif view == "Commands":
        st.caption(
            "What the lab calls from Python, as commands in the repository's folder; below, its"
            " feature_store.yaml."
        )
        st.code(lab_repo.COMMANDS, language="bash")
        st.code(lab_repo.SETTINGS.format(project=lab_repo.PROJECT), language="yaml")
    elif not result.complete:
        return
    elif view == "Reuse":
        lab.chart(
            figures.reuse(result),
            "registry_reuse",
            "What each model gets online and offline after the change",
        )
        st.caption(
            "Each model reads its feature service, for one flight. “works”: the same values as"
            " before the change."
        )
    else:
        lab.chart(
            figures.readers(result),
            "registry_readers",
            "Each reader's values online and offline, before and after the change",
        )
        st.caption(
            f"Read with Feast before and after “{result.params.change}”. Versions in the registry:"
            f" {', '.join(result.versions)} (Feast counts from v0)."
        )
        texts.table(result.versions_side_by_side(), "What each reader gets, in full")


def _show_own(snapshot: Snapshot) -> None:
    st.markdown(snapshot.verdict)
    if not snapshot.things:
        st.info("The registry is empty: run `feast apply` in the repository first.")
        return
    ids = [thing.id for thing in snapshot.things]
    focus = st.selectbox(
        "Object",
        ids,
        key="registry_own_focus",
        help="Its upstream and downstream are marked in the lineage",
    )
    lab.chart(
        figures.lineage(snapshot, focus), "registry_own_lineage", "Lineage of your own repository"
    )
    _cards(snapshot)


def _output(params: RegistryParams) -> None:
    def show_change(registered: RegistryResult) -> None:
        """Draw the lineage and what readers get after the change, with this session's focus."""
        result = replace(registered, params=params)
        with lab.screen("feature_store", "registry", result) as screen:
            screen.answer(
                figures.lineage(result.snapshot, params.focus),
                "registry_lineage",
                "Lineage from sources to models, with upstream and downstream of the object marked",
            )
            pinned = lab.pinned("registry")
            if pinned is not None and pinned.params != params:
                st.caption(f"Run A: {pinned.verdict}")
            _look_closer(result)

    work.run("registry", params.job, steps, show_change, first=lambda: expected(params))


_lineage = lab.tab("feature_store", "registry", _params, _output)


def _part() -> None:
    """Draw the part that is chosen."""
    {CALLS: calls.show, DEFINE: define.show}.get(REGISTRY.chosen(), _lineage)()


show = replace_by_own(_part, "registry_own", own_registry.steps, _show_own)
