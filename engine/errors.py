"""The one error that a page shows as a sentence: what is wrong, what was given, what to do next."""

from __future__ import annotations

from engine import texts


class InputError(ValueError):
    """Input that the playground cannot use: a setting, a link, a file. Its text is written for the person at the page.

    It may quote what was given, so it is made ``inert`` here, once, for every place that shows it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(texts.sentence(message))


def require(condition: bool, message: str, *values: object) -> None:
    """Raise ``InputError`` with ``message`` (its ``{}`` filled with ``values``) unless ``condition`` holds.

    Messages follow "name must rule. Got value.", for example ``"k_neighbors must be 1 … 50. Got {}."``.
    """
    if not condition:
        raise InputError(message.format(*values))


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ``InputError`` unless ``value`` is one of ``choices``."""
    require(value in choices, "{} must be one of {}. Got {!r}.", name, ", ".join(choices), value)
