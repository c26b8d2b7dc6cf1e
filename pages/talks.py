"""Talks: scenes of any labs put in an order, with own titles, notes and times."""

from pages.talk import editor

if __name__ == "__main__":
    editor.draw()
