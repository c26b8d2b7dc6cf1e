"""The main script: page config, navigation in course order, presenter mode."""

import streamlit as st

from pages.shell import state

st.set_page_config(page_title="Data Pipeline Playground", page_icon="🛫", layout="wide")

PAGES = [
    st.Page("home.py", title="Home", default=True),
    st.Page("formats.py", title="Format benchmarks", url_path="formats"),
    st.Page("etl.py", title="ETL crash lab", url_path="etl"),
    st.Page("sampling.py", title="SMOTE & sampling visualizer", url_path="sampling"),
    st.Page("leakage.py", title="Leakage simulator", url_path="leakage"),
    st.Page("feature_store.py", title="Feast point-in-time viewer", url_path="feature_store"),
    st.Page("spark.py", title="Spark partition explorer", url_path="spark"),
    st.Page("orchestration.py", title="Prefect run monitor", url_path="orchestration"),
]
state.owner()
st.navigation(PAGES, position="hidden" if state.presenting() else "top").run()
