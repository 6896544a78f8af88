"""Whether visitors get in: the published address, and both of its fronts."""

import http.client
from dataclasses import dataclass

from cordillera.components.wanted import Wanted
from cordillera.targets.local import _published, balancer
from cordillera.targets.local._public import public_service
from cordillera.targets.local._site import Site


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
    trouble = (
        said
        if answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        else balancer.silent_fronts(site)
    )
    return Entrance(trouble, said, answer.certificate_days_left)
