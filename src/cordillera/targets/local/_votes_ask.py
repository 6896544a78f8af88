"""The votes of an environment, asked from outside of its zones."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from cordillera.core.errors import NotReady
from cordillera.targets.local import _etcd, _net
from cordillera.targets.local._keeper.etcd import Etcd
from cordillera.targets.local._site import Site

T = TypeVar("T")


def asked(site: Site, question: Callable[[Etcd], T]) -> T | None:
    """What they answer; None while no majority does."""
    with suppress(NotReady):
        client = client_of(site)
        try:
            return question(client)
        finally:
            client.close()
    return None


def client_of(site: Site) -> Etcd:
    """A client of the votes from outside the zones. Raises NotReady before the first start."""
    first = site.zones[0]

    def dial(host: str, port: int, timeout_s: float) -> socket.socket:
        zone = next((z for z in site.domains if z.private == host), first)
        return _net.dial(site, zone, host, port, timeout_s=timeout_s)

    for zone in site.domains:
        with suppress(OSError):
            return Etcd(_etcd.members(site), zone.files("consensus") / _etcd.PEM, dial)
    raise NotReady("the votes have not been started yet")
