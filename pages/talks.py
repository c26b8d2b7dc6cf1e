"""Talks: scenes of any labs put in an order, with own titles, notes and times."""

from pages.talk import editor, preflight

if __name__ == "__main__":
    if preflight.under_way():
        preflight.run()
    else:
        editor.draw()
