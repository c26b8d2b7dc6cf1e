"""The talk that a visitor edits: its scenes in order, one of them selected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from engine.errors import require
from pages.talk.talk import MOST_SCENES, Talk, TalkScene

_numbers = count()  # of scenes, over all drafts: widgets are named by them


@dataclass(slots=True)
class Draft:
    """Scenes by a number of their own, which no other has; ``came`` says from where the
    talk came, if it is a stranger's.
    """

    title: str
    scenes: dict[int, TalkScene]  # in the order of the talk
    selected: int
    came: str = ""
    heard: int = 0  # number of the list's last press

    @classmethod
    def of(cls, talk: Talk, came: str = "") -> Draft:
        """Return the draft that begins as ``talk``."""
        scenes = dict(zip(_numbers, talk.scenes, strict=False))
        return cls(talk.title, scenes, next(iter(scenes)), came)

    def talk(self) -> Talk:
        """Return the talk as it is now."""
        return Talk(self.title, tuple(self.scenes.values()))

    def set(self, number: int, **values: Any) -> None:
        """Change a scene; ``InputError`` for what it cannot have: then it stays as it is."""
        self.scenes[number] = replace(self.scenes[number], **values)

    def set_title(self, title: str) -> None:
        """Change the talk's title; ``InputError`` as for a ``Talk``."""
        self.title = Talk(title, tuple(self.scenes.values())).title

    def add(self, scene: TalkScene) -> None:
        """Add a scene after the selected one, and select it."""
        require(len(self.scenes) < MOST_SCENES, "scenes must be 1–{}. Got one more.", MOST_SCENES)
        new = next(_numbers)
        order = list(self.scenes)
        order.insert(order.index(self.selected) + 1, new)
        self.scenes[new] = scene
        self.order(order)
        self.selected = new

    def remove(self, number: int) -> None:
        """Remove a scene, unless it is the only one; the next one is selected."""
        order = list(self.scenes)
        if number in self.scenes and len(order) > 1:
            place = order.index(number)
            del self.scenes[number], order[place]
            self.selected = order[min(place, len(order) - 1)]

    def order(self, numbers: list[Any]) -> None:
        """Bring the scenes into an order; what names not each of them once changes nothing."""
        if len(numbers) == len(self.scenes) and {*map(str, numbers)} == {*map(str, self.scenes)}:
            self.scenes = {int(number): self.scenes[int(number)] for number in numbers}

    def select(self, number: Any) -> None:
        """Select a scene; what is none changes nothing."""
        if number in self.scenes:
            self.selected = number
