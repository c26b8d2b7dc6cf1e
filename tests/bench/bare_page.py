"""The yardstick: one slider and one chart on an otherwise empty Streamlit page."""

import plotly.graph_objects as go
import streamlit as st

n = st.slider("n", 1, 100, 20, key="bare_n", bind="query-params")
st.plotly_chart(go.Figure(go.Bar(y=[(i * n) % 23 for i in range(20)])), key="bare_chart")
