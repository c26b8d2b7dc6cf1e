"""Practice: interview questions answered with this machine's measurements, a mock interview, a
design on a canvas, what comes back today, and the course's checklist.
"""

from collections.abc import Callable

import streamlit as st

from pages.shell import lab
from pages.tabs.practice import checklist, design, look, mock, questions, today

TABS: dict[str, Callable[[], None]] = {
    "Questions": questions.show,
    "Mock interview": mock.show,
    "Design": design.show,
    "Come back": today.show,
    "Checklist": checklist.show,
}


def draw() -> None:
    """Draw the page: one line, then lazy tabs."""
    st.html(f"<style>{lab.STYLE}{look.STYLE}</style>")
    with st.container(key="header"):
        st.header("Practice · Answer interview questions with your own measurements", anchor=False)
    look.follow()
    for tab, show in zip(
        st.tabs(list(TABS), key="practice_tab", bind="query-params"), TABS.values(), strict=True
    ):
        if tab.open:
            with tab, lab.errors_shown():
                show()


if __name__ == "__main__":
    draw()
