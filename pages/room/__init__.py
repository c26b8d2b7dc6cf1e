"""What a talk's room needs: the page of a vote, the speaker's screen, and what the stage shows.

Vote and speaker's screen are pages of their own routes, not of Streamlit: a phone gets a few
kilobytes and no session, and the guard can open exactly these paths to the network.
"""
