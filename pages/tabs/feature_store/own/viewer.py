"""The point-in-time viewer over a visitor's own repository: pick a view, a key, a label, and read
why it gets its value.
"""

from __future__ import annotations

import streamlit as st

from engine.feature_store.own import figure
from engine.feature_store.own.viewer import OwnViewer
from pages.shell import lab


def draw(result: OwnViewer) -> None:
    """Draw the viewer over what was found in the repository."""
    st.markdown(result.verdict)
    if not result.views:
        return
    left, middle, right = st.columns(3)
    names = [view.name for view in result.views]
    name = left.selectbox(
        "Feature view", names, key="own_viewer_view", help="Its first feature is shown"
    )
    view = result.views[names.index(name)]
    if view.refusal:
        st.error(f"{view.name} cannot be shown: {view.refusal}", icon=":material/error:")
        return
    key = middle.selectbox(
        "Key",
        range(len(view.keys)),
        key=f"own_viewer_key_{name}",
        format_func=view.keys.__getitem__,
        help="Those with most rows",
    )
    labels = view.labels(key)
    label = labels[
        right.number_input(
            "Label looked at",
            0,
            len(labels) - 1,
            0,
            key="own_viewer_label",
            help="Evenly spaced moments",
        )
    ]
    lab.chart(
        figure.life(view, key),
        "own_viewer_life",
        "One key's feature rows and the labels that ask for it",
    )
    if view.n_without_time:
        st.caption(
            f"{view.n_without_time:,} rows have no event time. They are left out, and in the file"
            " store their keys too: there such a row joins any label."
        )
    answer = view.answers[label]
    st.markdown(
        f"Feast answers **{'null' if answer is None else answer}**; every candidate with its"
        " verdict:"
    )
    st.dataframe(view.candidates(int(label)), hide_index=True, height=320)
