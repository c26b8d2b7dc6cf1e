"""The main script: page config, navigation in course order, presenter mode."""

import streamlit as st

from pages import entrance
from pages.shell import latest, learner, lessons, state, work
from pages.shell import notebook as notebook  # the checker of its section

st.set_page_config(page_title="Data Pipeline Playground", page_icon="🛫", layout="wide")

PAGES = [
    st.Page("home.py", title="Home", default=True),
    *(
        st.Page(f"{topic}.py", title=lessons.load(topic).short, url_path=topic)
        for topic in lessons.topics()
    ),
    st.Page("practice.py", title="Practice", url_path="practice"),
    st.Page("talks.py", title="Talks", url_path="talks"),
    st.Page("glossary.py", title="Glossary", visibility="hidden"),
    st.Page("notebook.py", title="Notebook", visibility="hidden"),
    st.Page("stage.py", title="On stage", url_path="stage", visibility="hidden"),
]
if not entrance.admits():
    st.navigation(PAGES, position="hidden")  # the address stays
    entrance.ask()
    st.stop()
state.owner()
st.session_state.pop("stage_beside", None)  # the page of the stage sets it
latest.begin()
with work.tabs_left_are_given_up():
    page = st.navigation(PAGES, position="hidden" if state.presenting() else "top")
    # after the browser has heard which page this is, before the page, which may take a while
    learner.bridge()
    page.run()
entrance.way_out()
learner.mirror("page")
state.VISITED.set()
