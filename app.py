"""The entry: ``streamlit run app.py``. Pages are in ``pages/``, what starts with the server in ``pages/startup.py``."""

import streamlit as st
from starlette.middleware import Middleware

from pages.shell.errors import show_unforeseen
from pages.shell.upload_names import UploadNames
from pages.startup import guard, lifespan

middleware = [guard(), Middleware(UploadNames)]
app = st.App("pages/router.py", lifespan=lifespan, middleware=middleware, on_script_error=show_unforeseen)
