"""The main script: page config, navigation in course order, presenter mode."""

import streamlit as st

from pages.shell import learner, lessons, state, work
from pages.shell import notebook as notebook  # the checker of its section

st.set_page_config(page_title="Data Pipeline Playground", page_icon="🛫", layout="wide")

PAGES = [
    st.Page("home.py", title="Home", default=True),
    *(
        st.Page(f"{topic}.py", title=lessons.load(topic).short, url_path=topic)
        for topic in lessons.topics()
    ),
    st.Page("glossary.py", title="Glossary", visibility="hidden"),
    st.Page("notebook.py", title="Notebook", visibility="hidden"),
]
state.owner()
learner.bridge()  # before the page, which may take a while
with work.tabs_left_are_given_up():
    st.navigation(PAGES, position="hidden" if state.presenting() else "top").run()
learner.mirror("page")
state.VISITED.set()
