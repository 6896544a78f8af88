"""Whether visitors get in: the published address, both of its fronts, and the edge of each zone."""

import http.client
from dataclasses import dataclass
from pathlib import Path

from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy, _net, _published, balancer
from cordillera.targets.local._public import public_service
from cordillera.targets.local._site import Site, Zone


@dataclass(frozen=True)
class Entrance:
    """`trouble` is empty when all is well; the days are None when no certificate was seen."""

    trouble: str = ""
    detail: str = ""
    certificate_days_left: float | None = None


def look(want: Wanted, site: Site) -> Entrance:
    """Ask the page as a user would, then each front: one of two that is gone is not seen from outside."""
    name = public_service(want)
    if name is None:
        return Entrance()
    health = want.services[name].health
    try:
        if health is None:
            answer = _published.get(site, "/")
        else:
            answer = _published.get(site, health.path, timeout_s=health.timeout)
    except (OSError, http.client.HTTPException) as e:
        return Entrance(f"no answer ({e})")
    said = f"HTTP {answer.status}"
    trouble = said if answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else _fronts(site)
    return Entrance(trouble, said, answer.certificate_days_left)


def edge_trouble(want: Wanted, site: Site, zone: Zone) -> str:
    """What is wrong with a zone's edge; empty for none. One that is frozen runs, and answers nobody."""
    if public_service(want) is None or zone not in site.zones:
        return ""
    return "" if _answers(zone.run / balancer.SOCKET) else "its edge does not answer"


def _fronts(site: Site) -> str:
    sockets = [site.front.run / f"{name}.sock" for name in balancer.front_names()]
    silent = _net.at_once(sockets, _answers).count(False)
    return f"{silent} of {len(sockets)} fronts do not answer" if silent else ""


def _answers(socket: Path) -> bool:
    try:
        return bool(_haproxy.ask(socket, "show pid", timeout_s=_net.PROBE_TIMEOUT_S))
    except NotReady:
        return False
