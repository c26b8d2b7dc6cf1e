"""One whole lesson by keyboard, with a reload in the middle: the record comes back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from pages.shell import lessons

IN_QUESTION = "document.activeElement.closest('.st-key-path_ask') !== null"
ON_NEXT = "document.activeElement.closest('.st-key-path_next') !== null"


def answer(page: Page, step: lessons.Step) -> None:
    """Do what a step asks and go on, by keys alone."""
    if step.kind == "predict":
        page.wait_for_function(IN_QUESTION)  # nobody has to look for it
        page.keyboard.press("ArrowRight")
    elif step.kind == "explain":
        page.wait_for_function(IN_QUESTION)
        page.keyboard.type("Because the run says so")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("You: Because the run says so")).to_be_visible()
    elif step.kind == "recall":
        expect(page.get_by_role("button", name="Commit")).to_be_visible()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("you said").last).to_be_visible()
    else:
        expect(page.locator(".chart.first[data-drawn]")).to_be_visible()
    if step.kind not in ("predict", "do"):  # the key goes on once there is something to go on from
        expect(page.locator(".st-key-path_next")).to_contain_text("Ctrl + Enter")
    if step.kind == "do":  # not met here: Next is a button among others
        for _ in range(80):
            if page.evaluate(ON_NEXT):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("Control+Enter")


def test_a_lesson_by_keyboard_survives_a_reload(page: Page, server: str) -> None:
    lesson = lessons.load("etl")
    page.goto(f"{server}/etl?mode=Learn")
    bar = page.locator(".st-key-path_bar")
    middle = next(i for i, step in enumerate(lesson.steps) if step.kind == "see" and i > 2)
    for number, step in enumerate(lesson.steps):
        expect(bar).to_contain_text(f"Step {number + 1} of {len(lesson.steps)}")
        if number == middle:
            page.reload()
            expect(bar).to_contain_text(f"Step {number + 1} of {len(lesson.steps)}")
            expect(page.locator(".st-key-panels").get_by_text("you said")).to_be_visible()
        answer(page, step)
    expect(page.get_by_text("predictions were right")).to_be_visible()
    page.goto(server)
    done = sum(step.kind != "do" for step in lesson.steps)
    expect(page.get_by_text(f"{done} of {len(lesson.steps)} steps done")).to_be_visible()
