"""What imbalanced-learn and scikit-learn say when they refuse rows, in the words of the page."""

from __future__ import annotations

import re

TOO_FEW = re.compile(
    r"Expected n_neighbors <= n_samples_fit, but n_neighbors = (\d+), n_samples_fit = (\d+)"
)
SAID: tuple[tuple[str, str], ...] = (  # how the library's sentence begins, ours
    (
        "Not any neigbours belong to the majority class",
        "no minority row has a row of another class among its k nearest, so no row gets a share.",
    ),
    (
        "No samples will be generated",
        "the share of each minority row rounds to no new point. Raise Ratio after.",
    ),
    (
        "No clusters found with sufficient samples",
        "no cluster has enough minority rows: a tenth of its rows.",
    ),
    (
        "cannot convert float NaN",
        "the minority rows of its clusters are copies of each other, so their density has"
        " no value.",
    ),
    (
        "All support vectors are considered as noise",
        "each support vector of the minority has only rows of other classes near it, which counts"
        " as noise.",
    ),
    (
        "n_samples=",
        "it makes eight clusters, and there are fewer rows.",
    ),
    (
        "n_splits=",
        "it splits the rows in five parts, and every class has fewer than five rows.",
    ),
)


def in_plain_words(message: str) -> str:
    """Return why the library refuses, as a sentence's end; a message that is not known stays as it
    is.
    """
    if found := TOO_FEW.match(message):
        k, n_rows = int(found[1]) - 1, int(found[2])
        return (
            f"it looks for {k} neighbours among {n_rows} rows, and no row is its own neighbour."
            " Lower Neighbours k or take more rows."
        )
    return next((ours for theirs, ours in SAID if message.startswith(theirs)), message)
