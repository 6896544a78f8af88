"""The HAProxies of a zone: its edge, and its proxy. One that is frozen runs, and answers nobody."""

from collections.abc import Collection
from pathlib import Path

from cordillera.targets.local import _haproxy, _net, _proxy, balancer
from cordillera.targets.local._site import Zone


def of_zone(zone: Zone) -> dict[str, tuple[Path, Path]]:
    """Process -> socket and configuration, of those that it may have."""
    edge, proxy = balancer.USER, _proxy.USER
    return {
        f"edge-{zone.name}": (
            zone.sockets(edge) / balancer.SOCKET, zone.files(edge) / balancer.CONFIG
        ),
        f"proxy-{zone.name}": (zone.sockets(proxy) / _proxy.SOCKET, zone.files(proxy) / _proxy.CONFIG),
    }  # fmt: skip


def silent(zone: Zone, processes: Collection[str]) -> str:
    """Which of the zone's `processes` does not answer, as a sentence; empty when all do."""
    asked = [(name, at[0]) for name, at in of_zone(zone).items() if name in processes]
    answers = _net.at_once(asked, lambda one: _haproxy.answers(one[1]))
    quiet = [name.partition("-")[0] for (name, _), ok in zip(asked, answers, strict=True) if not ok]
    return (
        f"its {' and its '.join(quiet)} {'does' if len(quiet) == 1 else 'do'} not answer"
        if quiet
        else ""
    )
