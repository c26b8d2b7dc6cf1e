"""Whether phones may vote, and under which address of this machine they do.

``make talk`` sets ``PLAYGROUND_TALK``: to ``auto``, or to an address where the machine has several.
Without it no request of another machine is answered.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from typing import Final

import psutil

from engine.errors import InputError, require

SWITCH = "PLAYGROUND_TALK"
# All that another machine may ask for: the page of a vote, and the speaker's where it is lent.
PATHS: Final = re.compile(r"/(vote|speaker)/[A-Za-z0-9]{1,12}(/state)?")
# Of a range for documentation: no packet is sent, the system only says which way it would go.
_SOMEWHERE = ("192.0.2.1", 9)


def is_on() -> bool:
    """Whether this server was started for phones of the local network."""
    return bool(os.environ.get(SWITCH))


def address() -> str:
    """Return the address under which phones of the local network reach this machine.

    Raises
    ------
    InputError
        The switch names none of this machine's, or the machine is in no network.
    """
    named = os.environ.get(SWITCH, "auto")
    known = _addresses()
    if named != "auto":
        listed = ", ".join(known) or "none"
        require(named in known, "ADDRESS must be one of this machine: {}. Got {}.", listed, named)
        return named
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(_SOMEWHERE)
            chosen = str(way.getsockname()[0])
        except OSError:  # no way out: a network without a router still has phones
            chosen = ""
    found = [chosen] if chosen in known else known
    if not found:
        raise InputError(
            "This machine must be in a network for phones to vote. It is in none: connect it, or"
            " let the room raise hands and type the tally."
        )
    return found[0]


def _addresses() -> list[str]:
    """Return this machine's IPv4 addresses that another can reach, private ones first."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        one.address
        for name, addresses in psutil.net_if_addrs().items()
        for one in addresses
        if one.family == socket.AF_INET and name in up
    ]
    parsed = [ipaddress.ip_address(text) for text in found]
    return [
        str(one)
        for one in sorted(parsed, key=lambda one: not one.is_private)
        if not (one.is_loopback or one.is_link_local)
    ]


def main() -> None:
    """Print where phones vote, for ``make talk``; end with the reason where an address is named
    that is none.
    """
    port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
    try:
        print(
            f"Phones in your network can vote at http://{address()}:{port}/vote/ and the code of"
            " your room. Other machines get this page and nothing else."
        )
    except InputError as error:
        if os.environ.get(SWITCH) != "auto":
            raise SystemExit(str(error)) from error
        print(error)


if __name__ == "__main__":
    main()
