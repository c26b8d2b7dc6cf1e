"""A canvas on which a visitor draws points of two classes by clicking; the points live in a text
field and so in the link.
"""

from __future__ import annotations

import streamlit as st

from engine import figures
from engine.errors import InputError
from engine.sampling import points

CLASSES = ("majority", "minority")
CANVAS = st.components.v2.component(
    "sampling_canvas",
    html="<canvas width='300' height='300' role='img' aria-label='Click to draw a point'></canvas>",
    css=(
        "canvas { width: 100%; border: 1px solid var(--st-border-color); border-radius: 6px;"
        " cursor: crosshair }"
    ),
    js="""
export default function ({ data, parentElement, setTriggerValue }) {
  const canvas = parentElement.querySelector('canvas')
  const paint = canvas.getContext('2d')
  paint.clearRect(0, 0, canvas.width, canvas.height)
  for (const [x, y, label] of data.points) {
    paint.beginPath()
    const across = (x / data.size) * canvas.width
    const down = (1 - y / data.size) * canvas.height
    paint.arc(across, down, label ? 6 : 4, 0, 2 * Math.PI)
    paint.fillStyle = data.colors[label]
    paint.fill()
  }
  canvas.onclick = (event) => {
    const box = canvas.getBoundingClientRect()
    const x = Math.round(((event.clientX - box.left) / box.width) * data.size)
    const y = Math.round((1 - (event.clientY - box.top) / box.height) * data.size)
    setTriggerValue('clicked', [x, y])
  }
}
""",
)


def draw(key: str, default: str) -> str:
    """Draw the canvas and return its points as ``x,y,class;…``, the text under ``key``."""
    st.session_state.setdefault(key, default)

    def clicked() -> None:
        place = st.session_state[f"{key}_canvas"]["clicked"]
        label = CLASSES.index(st.session_state.get(f"{key}_class") or CLASSES[1])
        if place is not None:
            x, y = (min(max(int(n), 0), points.CANVAS) for n in place)
            st.session_state[key] = ";".join(
                filter(None, [st.session_state[key], f"{x},{y},{label}"])
            )

    def clear() -> None:
        st.session_state[key] = ""

    def undo() -> None:
        st.session_state[key] = st.session_state[key].rpartition(";")[0]

    st.segmented_control(
        "Click to draw",
        CLASSES,
        default=CLASSES[1],
        required=True,
        key=f"{key}_class",
        help="The class",
    )
    try:
        found = points.drawn_points(st.session_state[key] or "")
    except InputError:
        found = []
    colors = [figures.WAITING, figures.KNOWN]
    CANVAS(
        key=f"{key}_canvas",
        data={"points": found, "size": points.CANVAS, "colors": colors},
        on_clicked_change=clicked,
    )
    with st.container(horizontal=True):
        st.button("Undo", key=f"{key}_undo", on_click=undo)
        st.button("Clear", key=f"{key}_clear", on_click=clear)
    return str(
        st.text_input(
            "Points",
            key=key,
            help="x,y,class;… in 0–100; the link carries them",
            bind="query-params",
        )
        or ""
    )
