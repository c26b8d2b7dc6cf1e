"""What a vote needs of the network: limits, addresses, the QR code, the paths that are open."""

from __future__ import annotations

import ipaddress
from xml.etree import ElementTree

import pytest

from engine.errors import InputError
from engine.rooms import limits, network, qr
from engine.rooms.limits import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_may_send_a_burst_and_then_a_steady_rate_and_holds_up_no_other() -> None:
    clock = Clock()
    limit = RateLimit(per_second=2, burst=5, clock=clock)
    assert [limit.admits("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limit.admits("b")
    clock.now = 1.0
    assert [limit.admits("a") for _ in range(3)] == [True, True, False]
    clock.now = 1_000.0
    assert [limit.admits("a") for _ in range(6)] == [True] * 5 + [False]


def test_a_limit_remembers_so_many_addresses_only() -> None:
    limit = RateLimit(per_second=1, burst=1)
    for number in range(limits.MOST_ADDRESSES + 100):
        limit.admits(str(number))
    assert len(limit._left) == limits.MOST_ADDRESSES


def test_an_address_is_one_of_this_machine_that_others_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(network.SWITCH, raising=False)
    assert not network.is_on()
    for named in ("8.8.8.8", "127.0.0.1", "evil.example", "<b>"):
        monkeypatch.setenv(network.SWITCH, named)
        with pytest.raises(InputError, match="ADDRESS must be one of this machine"):
            network.address()
    monkeypatch.setenv(network.SWITCH, "auto")
    assert network.is_on()
    monkeypatch.setattr(network, "_addresses", lambda: ["192.168.7.7"])
    assert network.address() == "192.168.7.7"
    monkeypatch.setattr(network, "_addresses", list)
    with pytest.raises(InputError, match="must be in a network"):
        network.address()


def test_private_addresses_come_first_and_loopback_never() -> None:
    found = [ipaddress.ip_address(text) for text in network._addresses()]
    assert not [one for one in found if one.is_loopback or one.is_link_local]
    assert sorted(found, key=lambda one: not one.is_private) == found


@pytest.mark.parametrize("path", ["/vote/ABCDE", "/vote/abcde/state", "/speaker/ABCDE/state"])
def test_the_pages_of_a_room_are_open(path: str) -> None:
    assert network.PATHS.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/vote",
        "/vote/",
        "/vote/ABCDE/",
        "/vote/ABCDE\n",
        "/vote/../_stcore/health",
        "/vote/ABCDE/../../formats",
        "/vote/ABCDE/state/x",
        "//vote/ABCDE",
        "/Vote/ABCDE",
        "/speaker/ABCDE/remote",
        "/_stcore/stream",
    ],
)
def test_nothing_else_is(path: str) -> None:
    assert not network.PATHS.fullmatch(path)


def test_the_code_of_an_address_is_drawn_inline_with_a_quiet_margin() -> None:
    picture = ElementTree.fromstring(qr.svg("http://192.168.178.123:8501/vote/ABCDE"))
    modules = float(picture.attrib["viewBox"].split()[-1])
    assert (modules - 17 - 8) % 4 == 0  # of a QR code's side, and 4 on each side
    assert "width" not in picture.attrib
    text = ElementTree.tostring(picture, encoding="unicode")
    assert "script" not in text and "href" not in text
