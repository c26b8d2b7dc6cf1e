"""What imbalanced-learn and scikit-learn say when they refuse rows, in the words of the page."""

from engine.sampling.rows import Points


def in_plain_words(message: str, rows: Points) -> str:
    return message
