"""Come back: what was missed, at most 15 items a day, planned back from the interview's date."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from engine.practice import cards as deck
from engine.practice import content, plan
from pages.shell import lessons, practice_record, texts
from pages.shell.lessons import Lesson, Prediction
from pages.tabs.practice import look

FARTHEST = timedelta(days=365)


def show() -> None:
    """Draw the tab."""
    now = practice_record.today()
    left, right = st.columns((1.2, 3), gap="medium")
    with left:
        interview = _date(now)
    held, new = practice_record.cards(), practice_record.new_ids()
    coming = plan.today(held, new, now, interview)
    with right:
        if coming:
            _item(coming[0], len(coming))
        else:
            n = sum(card.last == now for card in held.values())
            done = f"{n} items done. " if n else ""
            st.markdown(f"**Nothing more for today.** {done}What is due comes back by itself.")
    with left:
        _calendar(plan.plan(held, new, now, interview))


def _set_date() -> None:
    practice_record.set_interview(st.session_state["today_interview"])


def _date(now: date) -> date | None:
    """Ask for the interview's date; return it."""
    kept = practice_record.interview()
    if st.session_state.get("today_interview_kept", "") != str(kept):  # the record has arrived
        st.session_state["today_interview_kept"] = str(kept)
        st.session_state["today_interview"] = kept if kept and kept >= now else None
    st.date_input(
        "When is the interview?",
        min_value=now,
        max_value=now + FARTHEST,
        key="today_interview",
        help="All questions are planned before it. Empty: a few new ones each day",
        on_change=_set_date,
    )
    if kept is not None and kept < now:
        st.caption(f"The last date, {look.day(kept)}, has passed. Choose the next one.")
    return practice_record.interview()


def _calendar(planned: plan.Plan) -> None:
    """Draw how many items come on each of the next days."""
    texts.table(
        [{"day": look.day(when), "items": len(ids)} for when, ids in planned.days[:14]],
        "Items on each coming day",
    )
    more = len(planned.days) - 14
    if more > 0:
        st.caption(f"And {more} more days until the interview.")
    if planned.left_out:
        n = len(planned.left_out)
        st.caption(
            f"{n} questions do not fit before the interview: at most {plan.MOST_A_DAY} a day."
            " Choose what matters in Questions."
        )
    else:
        st.caption(f"At most {plan.MOST_A_DAY} items a day. A day without practice costs nothing.")


def _answered(card_id: str, rating: int) -> None:
    practice_record.answer(card_id, rating)
    st.session_state.pop("today_shown", None)


def _reveal(card_id: str) -> None:
    st.session_state["today_shown"] = card_id


def _item(card_id: str, n: int) -> None:
    """Draw one item: what is asked, then what should have been said, then how it went."""
    st.caption(f"{n} items left today" if n > 1 else "The last item of today")
    shown = st.session_state.get("today_shown") == card_id
    with st.container(border=True, key="today_item"):
        if card_id.startswith("question:"):
            _question(card_id.partition(":")[2], shown)
        else:
            _prediction(card_id, shown)
        if not shown:
            st.button("Show", key="today_show", type="primary", on_click=_reveal, args=(card_id,))
            return
        st.markdown("**How was it?** What was missed returns tomorrow.")
        with st.container(horizontal=True):
            for rating, name in deck.NAMES.items():
                st.button(
                    name, key=f"today_rate_{rating}", on_click=_answered, args=(card_id, rating)
                )


def _question(name: str, shown: bool) -> None:
    """Draw an interview question; shown, the signs of a strong answer and one follow-up."""
    question = content.question_of(name)
    st.caption(question.group)
    st.subheader(question.text, anchor=False)
    if shown:
        st.markdown("A strong answer:\n" + "\n".join(f"- {sign}" for sign in question.strong))
        follow = question.followups[0]
        st.markdown(f"**{follow.text}** {follow.answer}")


def _prediction(card_id: str, shown: bool) -> None:
    """Draw a prediction that was answered wrong; shown, its reason and the way to its run."""
    found = _found(card_id)
    if found is None:  # a teacher has changed the lesson since
        texts.say(f"**{card_id.split(':', 2)[-1]}**")
        st.caption("This question is not in the lesson any more. Rate it Easy to be rid of it.")
        return
    lesson, prediction = found
    st.caption(lesson.title)
    st.subheader(prediction.question, anchor=False)
    if prediction.choices:
        st.markdown("\n".join(f"- {choice}" for choice in prediction.choices))
    if shown:
        st.markdown(f"**Because:** {prediction.because}")
        look.setting_button(lesson, prediction.experiment, prediction.params, "today_see")


def _found(card_id: str) -> tuple[Lesson, Prediction] | None:
    """Return the lesson and the prediction of a card, ``None`` where they are gone."""
    topic = card_id.split(":", 2)[1]
    if topic not in lessons.topics():
        return None
    lesson = lessons.load(topic)
    for prediction in lesson.predictions:
        names = (prediction.title, prediction.question)
        if card_id in [deck.answer_id(topic, name) for name in names if name]:
            return lesson, prediction
    return None
