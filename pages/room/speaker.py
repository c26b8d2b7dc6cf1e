"""The speaker's screen: ``/speaker/<code>``, a second window or a phone that is lent the remote.

The link holds the room's token once; a cookie holds it from then on, so a reload finds it. What the
page shows is asked for once a second. Notes are sent here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from engine.errors import InputError, require
from engine.rooms import network, qr
from engine.rooms.registry import ROOMS
from engine.rooms.room import Room, View
from engine.rooms.vote import STAGES
from engine.web import is_loopback
from pages.room import addresses
from pages.room.requests import HERE, PRIVATE, TOO_MANY, form, is_admitted, page, remember, whole

REFUSED = "This page must be opened by the link from the stage window: Speaker's screen."
NOT_LENT = "The remote must be lent to a phone first: on the speaker's screen of the computer."
NEXT = {"open": "Close the vote", "closed": "Reveal", "revealed": "Show the chart"}


class Speaker(HTTPEndpoint):
    """Shows the page, and does what its buttons say."""

    async def get(self, request: Request) -> Response:
        """Return the page; the token of a link moves into a cookie first."""
        room, problem = _admit(request)
        if room is None:
            return problem
        path = f"/speaker/{room.code}"
        if "token" not in request.query_params:
            return page("Speaker's screen", (HERE / "speaker.html").read_text("utf-8"), "speaker")
        moved = RedirectResponse(path, 303, PRIVATE)
        remember(moved, _cookie(room.code), room.token, path)
        return moved

    async def post(self, request: Request) -> Response:
        """Do what the form's ``do`` names, then return the state."""
        room, problem = _admit(request)
        if room is None:
            return problem
        try:
            fields = await form(request)
            act = ACTS.get(fields.get("do", ""))
            require(act is not None, "do must be one of {}.", ", ".join(ACTS))
            act(room, fields)  # type: ignore[misc]
        except InputError as error:
            return PlainTextResponse(str(error), 400, PRIVATE)
        return JSONResponse(state(room, _is_here(request)), 200, PRIVATE)


class SpeakerState(HTTPEndpoint):
    """Says what the page shows now."""

    async def get(self, request: Request) -> Response:
        """Return the state as JSON."""
        room, problem = _admit(request)
        return JSONResponse(state(room, _is_here(request)), 200, PRIVATE) if room else problem


class Remote(HTTPEndpoint):
    """The QR code by which a phone becomes the speaker's screen; for this machine alone."""

    async def get(self, request: Request) -> Response:
        """Return the code as a picture, once the remote is lent."""
        room, problem = _admit(request)
        if room is None:
            return problem
        if not (room.remote and network.is_on() and _is_here(request)):
            return PlainTextResponse(NOT_LENT, 403, PRIVATE)
        address = f"{addresses.for_phones('speaker', room.code)}?{urlencode({'token': room.token})}"
        return Response(qr.svg(address), 200, PRIVATE, "image/svg+xml")


def state(room: Room, here: bool) -> dict[str, Any]:
    """Return all that the speaker's screen shows; ``here``: it is on this machine."""
    view = room.view()
    card, following = room.cards[view.number], room.cards[view.number + 1 : view.number + 2]
    return {
        "version": view.version,
        "place": f"{view.number + 1} of {len(room.cards)}",
        "title": card.title,
        "note": card.note,
        "next": following[0].title if following else "",
        "blank": view.blank,
        "elapsed": view.elapsed_seconds,
        "planned": room.planned_seconds(view.number),
        "whole": room.planned_seconds(len(room.cards) - 1),
        "advance": _what_is_next(room, view),
        "vote": _vote(view),
        "address": addresses.to_show(room.code),
        "remote": {"lent": room.remote, "can": here and network.is_on()},
    }


def _what_is_next(room: Room, view: View) -> str:
    if view.blank:
        return "Show the scene"
    if view.vote is not None and view.vote.stage in NEXT:
        return NEXT[view.vote.stage]
    return "Next" if view.number + 1 < len(room.cards) else ""


def _vote(view: View) -> dict[str, Any] | None:
    """Return the vote; how it is distributed only once it is closed."""
    count = view.vote
    if count is None:
        return None
    return {
        "id": count.id,
        "stage": count.stage,
        "question": count.question.text,
        "choices": count.question.choices,
        "phones": count.n_phones,
        "hands": count.hands,
        "counts": None if count.stage == "open" else count.counts,
    }


def _admit(request: Request) -> tuple[Room | None, Response]:
    """Return the room whose token the request has, or ``None`` and the refusal."""
    if not is_admitted(request):
        return None, PlainTextResponse(TOO_MANY, 429, PRIVATE)
    room = ROOMS.find(request.path_params["code"])
    if room is not None and not (room.remote or _is_here(request)):
        return None, PlainTextResponse(NOT_LENT, 403, PRIVATE)
    code = room.code if room else ""
    given = request.query_params.get("token") or request.cookies.get(_cookie(code), "")
    if room is None or not room.is_speaker(given):
        return None, PlainTextResponse(REFUSED, 403, PRIVATE)
    return room, Response()


def _is_here(request: Request) -> bool:
    return request.client is not None and is_loopback(request.client.host)


def _cookie(code: str) -> str:
    return f"speaker_{code}"


def _set_stage(room: Room, fields: dict[str, str]) -> None:
    stage = fields.get("stage", "")
    found = next((one for one in STAGES if one == stage), None)
    if found is None:
        raise InputError(f"stage must be one of {', '.join(STAGES)}.")
    room.set_stage(found)


def _set_hands(room: Room, fields: dict[str, str]) -> None:
    numbers = [fields[key] for key in sorted(fields) if key.startswith("hands_")]
    room.set_hands(tuple(whole(number or "0") for number in numbers))


def _lend(room: Room, fields: dict[str, str]) -> None:
    room.remote = fields.get("on") == "yes"


ACTS: dict[str, Callable[[Room, dict[str, str]], None]] = {
    "advance": lambda room, fields: room.advance(whole(fields.get("seen", ""))),
    "back": lambda room, _: room.go(room.view().number - 1),
    "blank": lambda room, fields: room.set_blank(fields.get("on") == "yes"),
    "timer": lambda room, _: room.restart_timer(),
    "stage": _set_stage,
    "tally": _set_hands,
    "lend": _lend,
}
