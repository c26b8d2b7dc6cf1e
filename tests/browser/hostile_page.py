"""A page of its own for ``test_outside``: every hostile text as the playground draws it, or raw
with ``?raw=true``.
"""

import plotly.graph_objects as go
import streamlit as st

from engine import figures
from engine.errors import InputError
from engine.texts import inert, inert_cells
from tests.browser.hostile import TEXTS

raw = st.query_params.get("raw") == "true"
for text in TEXTS:
    st.markdown(text if raw else inert(text))
    st.error(text if raw else str(InputError(text)))
rows = [{"n": number, "text": text} for number, text in enumerate(TEXTS)]
st.table(rows if raw else inert_cells(rows))
figure = go.Figure(
    go.Bar(x=list(range(len(TEXTS))), y=list(TEXTS), orientation="h", text=list(TEXTS))
)
figure.update_layout(title={"text": TEXTS[6]}, height=900)
st.plotly_chart(figure if raw else figures.inert(figure), config=figures.CONFIG)
st.caption("the end")
