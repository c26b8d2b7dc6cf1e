"""The page of a vote: ``/vote/<code>``, for the phones of the audience. It works without scripts;
with them it follows the talk by itself.
"""

from __future__ import annotations

from html import escape

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from engine.errors import InputError
from engine.rooms.registry import ROOMS
from engine.rooms.room import ASK_AGAIN, Room
from engine.rooms.vote import Count
from pages.room.requests import PRIVATE, TOO_MANY, form, is_admitted, page, remember, whole

TITLE = "Vote"
NO_ROOM = "This room is not open. Compare the code in the address with the one on the screen."
LATE = "The vote had closed before yours came: it is not counted."


class Vote(HTTPEndpoint):
    """Shows the question of the scene that is on, and takes one vote of each phone."""

    async def get(self, request: Request) -> Response:
        """Return the page; a phone that has no name in this room gets one."""
        if not is_admitted(request):
            return _page(None, "", TOO_MANY, 429)
        room = ROOMS.find(request.path_params["code"])
        if room is None:
            return _page(None, "", NO_ROOM, 404)
        return _page(room, _voter(request, room))

    async def post(self, request: Request) -> Response:
        """Count the vote of the form (``vote``, ``choice`` from 0), or say why it is not."""
        room = ROOMS.find(request.path_params["code"])
        if room is None:
            return _page(None, "", NO_ROOM, 404)
        voter = _voter(request, room)
        if not is_admitted(request):
            return _page(room, voter, TOO_MANY, 429)
        try:
            fields = await form(request)
            if not room.knows(request.cookies.get(_cookie(room), "")):
                raise InputError(ASK_AGAIN)
            outcome = room.cast(fields.get("vote", ""), voter, whole(fields.get("choice", "")))
        except InputError as error:
            return _page(room, voter, str(error), 400)
        if outcome == "not open":
            return _page(room, voter, LATE, 409)
        return RedirectResponse(f"/vote/{room.code}", 303, PRIVATE)


class VoteState(HTTPEndpoint):
    """Says in a few bytes what the page would show, so that it reloads only for something new."""

    async def get(self, request: Request) -> Response:
        """Return the mark of the question that is open."""
        if not is_admitted(request):
            return PlainTextResponse(TOO_MANY, 429, PRIVATE)
        room = ROOMS.find(request.path_params["code"])
        if room is None:
            return PlainTextResponse(NO_ROOM, 404, PRIVATE)
        return PlainTextResponse(_mark(room.view().vote), 200, PRIVATE)


def _cookie(room: Room) -> str:
    return f"voter_{room.code}"


def _voter(request: Request, room: Room) -> str:
    """Return the phone's name, a new one where it has none of this room."""
    given = request.cookies.get(_cookie(room), "")
    return given if room.knows(given) else room.new_voter()


def _mark(count: Count | None) -> str:
    return f"{count.id} {count.stage}" if count else "nothing"


def _page(room: Room | None, voter: str, problem: str = "", status: int = 200) -> Response:
    count = room.view().vote if room else None
    said = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    body = f"<main>{said}{_question(room, count, voter) if room else ''}</main>"
    response = page(TITLE, body, "vote", status, mark=_mark(count))
    if room:
        remember(response, _cookie(room), voter, "/vote")
    return response


def _question(room: Room, count: Count | None, voter: str) -> str:
    """Return the question with its buttons, or what has become of it."""
    if count is None:
        return "<h1>No question yet</h1><p>The next one comes here by itself.</p>"
    choices = [escape(choice) for choice in count.question.choices]
    chosen = room.choice_of(voter)
    own = "" if chosen is None else f"Your vote: <b>{choices[chosen]}</b>."
    head = f"<h1>{escape(count.question.text)}</h1>"
    if count.stage != "open":
        return f"{head}<p>The vote is closed. {own or 'You did not vote.'} Look at the screen.</p>"
    if own:
        return f"{head}<p>Counted. {own}</p>"
    buttons = "".join(
        f'<button name="choice" value="{number}">{choice}</button>'
        for number, choice in enumerate(choices)
    )
    return (
        f'{head}<form method="post" action="/vote/{room.code}">'
        f'<input type="hidden" name="vote" value="{count.id}">{buttons}</form>'
    )
