"""The room of a talk: which scene is on, for stage and speaker alike, and the audience's votes.

All of it is in this server's memory and ends with it. Nothing here knows of Streamlit or of a lab.
"""
