"""Talking to servers inside an environment's networks from outside of them.

A thread that enters a network namespace makes the socket; the socket stays in that namespace and may
be used anywhere. On loopback no namespace is entered.
"""

import ctypes
import http.client
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import TypeVar

from cordillera.targets.local._site import Site, Zone

CLONE_NEWNET = 0x40000000
NETNS_FOLDER = Path("/run/netns")
PROBE_TIMEOUT_S = 1.0
"""A server that is well answers in milliseconds; who asks for a status wants to know of the others soon."""

S = TypeVar("S")
T = TypeVar("T")


def at_once(whom: Sequence[S], ask: Callable[[S], T]) -> list[T]:
    """What each of them (zones, say) answers, all asked at once: silent ones cost one time-out together."""
    with ThreadPoolExecutor(max_workers=max(1, len(whom))) as pool:
        return list(pool.map(ask, whom))


def no_answer(zones: Sequence[str]) -> str:
    """The sentence for zones whose servers are silent; empty when none is. Pure."""
    return f"no answer in zone {' and '.join(zones)}" if zones else ""


def make_socket(site: Site, zone: Zone, subnet: str = "private") -> socket.socket:
    """A TCP socket that lives in a zone's subnet. Raises OSError when the network is not there."""
    if not site.namespaced:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return socket_in(site.netns(zone, subnet))


def socket_in(netns: str) -> socket.socket:
    """A TCP socket that lives in the network namespace called `netns`. Raises OSError."""
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        try:
            descriptor = os.open(NETNS_FOLDER / netns, os.O_RDONLY)
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(descriptor, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"cannot enter {netns}")
                made.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            finally:
                os.close(descriptor)
        except OSError as e:
            made.append(e)

    thread = Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def dial(
    site: Site, zone: Zone, address: str, port: int, *, timeout_s: float, subnet: str = "private"
) -> socket.socket:
    """A connection to `address:port` as from inside a zone's subnet. Raises OSError."""
    made = make_socket(site, zone, subnet)
    made.settimeout(timeout_s)
    try:
        made.connect((address, port))
    except OSError:
        made.close()
        raise
    return made


class _Dialled(http.client.HTTPConnection):
    """An HTTP connection over a socket that was made elsewhere."""

    def __init__(self, made: socket.socket, host: str, port: int) -> None:
        super().__init__(host, port)
        self.sock = made


def http_get(
    site: Site,
    zone: Zone,
    port: int,
    path: str,
    *,
    timeout_s: float = PROBE_TIMEOUT_S,
    subnet: str = "private",
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of a request to the zone's own address. Raises OSError, HTTPException."""
    address = zone.private if subnet == "private" else zone.public
    with dial(site, zone, address, port, timeout_s=timeout_s, subnet=subnet) as made:
        connection = _Dialled(made, address, port)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
