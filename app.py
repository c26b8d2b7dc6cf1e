"""The entry: ``streamlit run app.py``. Pages are in ``pages/``, what starts with the server in
``pages/startup.py``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read as NumPy loads: visitors are many

import streamlit as st

from pages.shell.errors import show_unforeseen
from pages.startup import ROUTES, lifespan, middleware

app = st.App(
    "pages/router.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=middleware(),
    on_script_error=show_unforeseen,
)
