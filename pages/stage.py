"""On stage: the window that the audience sees. It gets no speaker's note."""

from pages.talk import show

if __name__ == "__main__":
    show.draw()
