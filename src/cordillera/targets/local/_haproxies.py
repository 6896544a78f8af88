"""The HAProxies of a zone: its edge, and its proxy. One that is frozen runs, and answers nobody."""

from collections.abc import Collection

from cordillera.targets.local import _haproxy, _net, _proxy, balancer
from cordillera.targets.local._site import Zone


def of_zone(zone: Zone) -> dict[str, tuple[str, str]]:
    """Process -> socket and configuration in the zone's run folder, of those that it may have."""
    return {
        f"edge-{zone.name}": (balancer.SOCKET, balancer.CONFIG),
        f"proxy-{zone.name}": (_proxy.SOCKET, _proxy.CONFIG),
    }


def silent(zone: Zone, processes: Collection[str]) -> str:
    """Which of the zone's `processes` does not answer, as a sentence; empty when all do."""
    asked = [(name, at[0]) for name, at in of_zone(zone).items() if name in processes]
    answers = _net.at_once(asked, lambda one: _haproxy.answers(zone.run / one[1]))
    quiet = [name.partition("-")[0] for (name, _), ok in zip(asked, answers, strict=True) if not ok]
    return (
        f"its {' and its '.join(quiet)} {'does' if len(quiet) == 1 else 'do'} not answer"
        if quiet
        else ""
    )
