"""What each kind of step of a path asks and says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shell import answers, panels, path_record, quiz, texts
from pages.shell.content import Challenge, Prediction, Scene
from pages.shell.lessons import Lesson, Step

Side = Callable[[Lesson, Step, str, Any], None]


def title(lesson: Lesson, step: Step) -> str:
    """Return what a step is about, for lists of steps."""
    return step.of if isinstance(step.of, str) else "two questions from before"


def _prediction(lesson: Lesson, name: str) -> Prediction:
    found = lesson.named(name)
    if not isinstance(found, Prediction):
        raise TypeError(f"{name} must be a prediction")
    return found


def _guess_key(lesson: Lesson, step: Step, number: int = 0) -> str:
    return f"path_{lesson.topic}_{lesson.steps.index(step)}_{number}"


def _guide(lesson: Lesson, experiment: str) -> None:
    name = lesson.experiments[experiment]
    with st.expander(f"Guide: {name}", icon=":material/menu_book:"):
        st.markdown(lesson.guide[name])


def _said(step: Step, guess: Any, prediction: Prediction) -> None:
    st.markdown(f"**{prediction.question}**")
    texts.say(f"You said **{quiz.format_value(guess, prediction.field)}**.")


def _again(lesson: Lesson, step: Step) -> None:
    st.button(
        "Answer again",
        key="path_again",
        type="tertiary",
        on_click=path_record.forget,
        args=(lesson, step),
    )


def _commit(lesson: Lesson, step: Step) -> None:
    """Keep the guess and go on to what happens."""
    key = _guess_key(lesson, step)
    confidence = st.session_state.get(f"{key}_sure")
    guess = st.session_state[key]
    path_record.note(lesson, step, chosen=guess, confidence=confidence, right=None)
    path_record.go(lesson, lesson.steps.index(step) + 1)


def predict(lesson: Lesson, step: Step, shortcut: str) -> None:
    """Ask before anything is shown."""
    prediction = _prediction(lesson, str(step.of))
    found = path_record.entry(lesson, step.key)
    with st.container(key="path_ask", border=True):
        if found:
            _said(step, found["chosen"], prediction)
            _again(lesson, step)
        else:
            key = _guess_key(lesson, step)
            if step == lesson.steps[0]:
                st.caption("Your guess first, then the run. A wrong guess shows what to look at.")
            guess = quiz.ask(prediction, key, index=None)
            st.segmented_control(
                "How sure are you? (optional)",
                answers.CONFIDENCE,
                key=f"{key}_sure",
                persist_state="session",
            )
            st.button(
                "Commit",
                key="path_commit",
                type="primary",
                shortcut=shortcut,
                disabled=guess is None,
                help="The run is shown once you have committed yourself",
                on_click=_commit,
                args=(lesson, step),
            )
    _guide(lesson, prediction.experiment)


def _remember(lesson: Lesson, step: Step) -> None:
    """Keep both guesses of a recall step, and note them as answers."""
    guesses, right = [], True
    for number, name in enumerate(step.of):
        prediction = _prediction(lesson, name)
        guess = st.session_state[_guess_key(lesson, step, number)]
        actual = path_record.entry(lesson, f"predict: {name}")["actual"]
        right = right and prediction.is_right(guess, actual)
        quiz.note(lesson, prediction, "recall", guess, actual)
        guesses.append(guess)
    path_record.note(lesson, step, chosen=guesses, right=right)


def recall(lesson: Lesson, step: Step, shortcut: str) -> None:
    """Ask two questions of earlier steps again, then show what their runs gave."""
    found = path_record.entry(lesson, step.key)
    pairs = [(name, _prediction(lesson, name)) for name in step.of]
    actual = {
        name: path_record.entry(lesson, f"predict: {name}").get("actual") for name, _ in pairs
    }
    with st.container(key="path_ask", border=True):
        if unseen := [name for name in step.of if actual[name] is None]:
            _unseen(lesson, step, unseen)
            return
        guesses = []
        for number, (name, prediction) in enumerate(pairs):
            key = _guess_key(lesson, step, number)
            if found:
                st.markdown(f"**{prediction.question}**")
                guess = found["chosen"][number]
                quiz.compare(lesson, prediction, guess, actual[name], key, link=False)
            else:
                guesses.append(quiz.ask(prediction, key, index=None))
        if found:
            _again(lesson, step)
        else:
            st.button(
                "Commit",
                key="path_commit",
                type="primary",
                shortcut=shortcut,
                disabled=None in guesses,
                on_click=_remember,
                args=(lesson, step),
            )


def _unseen(lesson: Lesson, step: Step, names: list[str]) -> None:
    """Say which steps come first, and offer the way on."""
    numbers = [
        f"step {i + 1}"
        for i, one in enumerate(lesson.steps)
        if one.kind in ("predict", "see") and one.of in names
    ]
    st.markdown(f"These questions are from steps not seen yet: do {', '.join(numbers)} first.")
    on = lesson.steps.index(step) + 1
    st.button("Skip", key="path_skip", on_click=path_record.go, args=(lesson, on))


def _see(lesson: Lesson, step: Step, name: str, result: Any) -> None:
    """Say what to look at, or the prediction beside what happened; then the page's reasons."""
    named = lesson.named(str(step.of))
    if isinstance(named, Scene):
        st.markdown(f"**{named.title}.** {named.look_at}")
    elif isinstance(named, Prediction):
        asked = Step("predict", str(step.of))
        found = path_record.entry(lesson, asked.key)
        if not found:
            st.markdown(f"**{named.question}** {named.because}")
        elif name == named.experiment:
            guess = found["chosen"]
            actual = quiz.outcome(lesson, named, guess, result, "path_see")
            if actual is not None and found["right"] is None:
                right = named.is_right(guess, actual)
                path_record.note(lesson, asked, right=right, actual=actual)
                quiz.note(lesson, named, "predict", guess, actual, found.get("confidence"))
    st.markdown("**Why, on this run's numbers**")
    panels.say_reasons(result)


def _explain(lesson: Lesson, step: Step, name: str, result: Any) -> None:
    """Ask for a sentence of the learner's own; then show it beside the page's reasons."""
    found = path_record.entry(lesson, step.key)
    st.markdown(f"**{step.question}**")
    if found:
        texts.say(f"You: {found['chosen']}")
        st.markdown("**The page's reasons.** Which of them did you have?")
        panels.say_reasons(result)
        _again(lesson, step)
        return
    with st.form("path_explain", border=False), st.container(key="path_ask"):
        said = st.text_area(
            "In a sentence of your own",
            max_chars=path_record.LONGEST,
            height=120,
            key=_guess_key(lesson, step),
        )
        pressed = st.form_submit_button(
            "Compare", type="primary", help="Ctrl+Enter: shows the page's reasons beside yours"
        )
    if pressed and said.strip():
        path_record.note(lesson, step, chosen=said.strip())
    elif pressed:
        st.caption("Write a sentence first: what you say yourself stays longer than what you read.")


def _do(lesson: Lesson, step: Step, name: str, result: Any) -> None:
    """Set a goal, say whether this run meets it, and give hints, one at a time."""
    named = lesson.named(str(step.of))
    if not isinstance(named, Challenge) or name != named.experiment:
        panels.say_reasons(result)
        return
    quiz.note_challenges(lesson, name, result)
    quiz.challenge(lesson, lesson.challenges.index(named), named, result)
    if quiz.is_complete(result) and named.met_by(result):
        if path_record.entry(lesson, step.key).get("right") is not True:
            path_record.note(lesson, step, chosen="met", right=True)
        st.markdown("**Why, on this run's numbers**")
        panels.say_reasons(result)
        return
    key = _guess_key(lesson, step) + "_hints"
    shown = st.session_state.get(key, 0)
    for number, hint in enumerate(named.hints[:shown]):
        st.markdown(f"{number + 1}. {hint}")
    if shown < len(named.hints):
        st.button(
            f"Hint {shown + 1} of {len(named.hints)}",
            key="path_hint",
            icon=":material/lightbulb:",
            on_click=st.session_state.__setitem__,
            args=(key, shown + 1),
        )


SIDES: dict[str, Side] = {"see": _see, "explain": _explain, "do": _do}


def end(lesson: Lesson) -> None:
    """Sum the path up: what was right, what to look at again, the lesson's question answered."""
    done = {step.key: path_record.entry(lesson, step.key) for step in lesson.steps}
    asked = [step for step in lesson.steps if step.kind == "predict"]
    right = [step for step in asked if done[step.key].get("right")]
    missed = [str(step.of) for step in asked if done[step.key].get("right") is False]
    with st.container(key="path_ask", border=True):
        st.markdown(
            f"{path_record.n_done(lesson)} of {len(lesson.steps)} steps are done,"
            f" {len(right)} of {len(asked)} predictions were right."
        )
        if missed:
            st.markdown("Look again at: " + ", ".join(missed) + ".")
        st.markdown(f"**{lesson.question}** Answer it aloud, then compare.")
        with st.expander("An answer"):
            st.markdown(lesson.answer)
