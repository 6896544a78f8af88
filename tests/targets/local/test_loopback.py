"""Environments without root: addresses that no other user is at, and callers that their voters take."""

import sys

import pytest
from tests.targets.local.by_hand import site

from cordillera.targets.local import _loopback, certificate

HEAD = "0: {at}:0CEA 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {owner} 0 1"


def row(at: str, owner: int, state: str = "0A") -> str:
    """A row of /proc/net/tcp."""
    raw = bytes(int(part) for part in at.split("."))
    return HEAD.format(at=raw[::-1].hex().upper(), state=state, owner=owner)


@pytest.mark.skipif(
    sys.byteorder == "big", reason="the kernel writes addresses in the machine's order"
)
def test_a_network_that_another_user_listens_at_is_not_free() -> None:
    rows = [
        row("127.64.10.2", 1001),
        row("127.65.10.2", 1002),
        row("127.66.10.2", 700_128),
        row("127.67.10.2", 1002, "01"),
        row("10.68.10.2", 1002),
    ]

    assert _loopback.networks(rows, 1001) == {65, 66}
    assert _loopback.networks(rows, 0) == {64, 65}


def test_voters_take_calls_from_where_the_kernel_has_them_come() -> None:
    with site() as made:
        names = certificate.voters_names(made)

    assert "127.0.0.1" in names
    assert {zone.private for zone in made.domains} < set(names)
