"""The entry: ``streamlit run app.py``. Pages are in ``pages/``, what starts with the server in ``pages/startup.py``."""

import streamlit as st
from starlette.middleware import Middleware

from pages.shell.upload_names import UploadNames
from pages.startup import lifespan

app = st.App("pages/router.py", lifespan=lifespan, middleware=[Middleware(UploadNames)])
