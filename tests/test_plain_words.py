"""Words that puzzle people are in no text on screen: archaisms, private metaphors, wrong idioms.

The field's word is beside each. A word that is the field's own in another sense (a join of tables,
dropping a column, the process that *told*) is not listed.
"""

from __future__ import annotations

import re

from tests.visible import texts

WORDS = {
    r"foretold|foretell\w*": "predicted",
    r"(?:a|each|every|\d+|of|first|second|last|per) (?:try|tries)\b": "attempt",
    r"\b(?:is|are|was) told\b|told from": "reported, shown; not significant",
    r"\bdear(?:est|er)?\b": "expensive, slowest",
    r"\bcures?\b": "fix, remedy",
    r"\bmend(?:s|ed|ing)?\b": "fix, correct",
    r"\bhonest(?:ly|y)?\b": "leak-free; no measurable effect",
    r"without a word": "without an error",
    r"look-back": "lookback window",
    r"\bmade[ -]up\b": "synthetic, simulated",
    r"hold(?:s)? the truth": "match the source",
    r"beyond chance|no more than chance": "statistically significant",
    r"doing nothing": "baseline",
    r"\bdosed?\b": "leak strength, fault rate",
    r"\bplanted\b": "injected",
    r"\bghosts?\b": "deleted at source, still in target",
    r"\brows lie\b|\blie together\b|\blies? (?:in|on|at)\b": "row order; is stored",
    r"\bstands?\b(?! (?:by|for))": "is, is listed",
    r"\bdealt?\b": "distribute, assign",
    r"\bcommonest\b": "most frequent",
    r"\bquick(?:er|est)\b": "faster, fastest",
    r"\bin vain\b": "without a match",
    r"\bworlds\b": "simulated data sets",
    r"\bstern\b": "pessimistic",
    r"\banew\b|\bonce more\b": "again",
    r"vermilion|red-purple|sky[- ]blue": "the name of the series",
    r"\bat hand\b|\bkin\b|\bseldom\b|\bwhoever\b|\bmeanwhile\b": "available, related, rarely",
    r"\bscrub\w*": "choose the hour",
    r"\bmaterialis": "materialize",
    r"\bheard from\b|\bthe kept run\b": "source: hook, stored run",
    r"\bmeasure again\b": "run again",
    r"\bby luck\b|from luck": "by chance",
    r"\bbygone\b|\bthence\b|\bwhence\b|\bthereof\b|\blest\b|\balbeit\b|\bnaught\b": "plain words",
}


def test_no_text_on_screen_has_a_word_that_puzzles() -> None:
    rules = [(re.compile(rule, re.IGNORECASE), instead) for rule, instead in WORDS.items()]
    found = [
        f"{place}: “{match[0]}” → {instead}: …{text[max(0, match.start() - 40) : match.end() + 40]}"
        for place, text in texts()
        for rule, instead in rules
        if (match := rule.search(text))
    ]
    assert found == [], "\n".join(["", *found])


def test_the_check_reads_code_lessons_and_guides() -> None:
    places = {place.split(":")[0] for place, _ in texts()}
    assert {"spark.toml", "spark.md", "engine/spark/cache/__init__.py"} <= places
