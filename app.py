"""The entry: ``streamlit run app.py``. Pages are in ``pages/``, what starts with the server in ``pages/startup.py``."""

import streamlit as st

from pages.startup import guard, lifespan

app = st.App("pages/router.py", lifespan=lifespan, middleware=[guard()])
