"""The Notebook: the runs that a visitor has kept, with their remarks, and the notebook as files."""

from __future__ import annotations

import streamlit as st

from engine.errors import InputError
from engine.texts import sentence
from pages.shell import lab, notebook, notebook_files, texts


def _noted(number: str) -> None:
    try:
        notebook.remark(number, st.session_state[f"remark_{number}"])
    except InputError as error:
        st.toast(sentence(str(error)), icon=":material/error:")


def _files() -> None:
    """Draw the downloads; a file is made when its button is pressed."""
    held = notebook.entries()
    with_figures = [(one, notebook.figure_of(one)) for one in held]
    with st.container(horizontal=True):
        st.download_button(
            "Notebook (HTML)",
            lambda: notebook_files.html_of(with_figures),
            "notebook.html",
            "text/html",
            key="notebook_html",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Code (Jupyter)",
            lambda: notebook_files.to_jupyter(held),
            "notebook.ipynb",
            "application/x-ipynb+json",
            key="notebook_ipynb",
            on_click="ignore",
            icon=":material/download:",
        )


def _run(one: notebook.Entry) -> None:
    """Draw one kept run."""
    number = one["id"]
    with st.container(border=True, gap="xsmall"):
        texts.say(f"**{one['verdict']}**")
        texts.note(notebook_files.place(one))
        said = [pair for pair in notebook_files.lines(one) if pair[0] != "Remark"]
        texts.say("\n".join(f"- {name}: {text}" for name, text in said))
        st.text_area(
            "Your remark",
            one["remark"],
            max_chars=notebook.LONGEST,
            height=70,
            key=f"remark_{number}",
            on_change=_noted,
            args=(number,),
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if notebook.params_of(one) is not None:
                st.page_link(
                    f"{one['lab']}.py",
                    label="Open this run",
                    icon=":material/arrow_forward:",
                    query_params={"kept": number},
                )
            st.button(
                "Remove",
                key=f"remove_{number}",
                type="tertiary",
                icon=":material/delete:",
                on_click=notebook.remove,
                args=(number,),
            )


def draw() -> None:
    """Draw the page."""
    st.html(f"<style>{lab.STYLE}</style>")
    st.header("Notebook", anchor=False)
    held = notebook.entries()
    if not held:
        st.markdown("No run is kept yet. Open a lab, then *Share*, then *Keep in notebook*.")
        return
    st.caption(
        f"{len(held)} of {notebook.MOST} runs, in this browser alone. Remarks are saved as you"
        " leave their field."
    )
    _files()
    for one in held:
        _run(one)


if __name__ == "__main__":
    draw()
