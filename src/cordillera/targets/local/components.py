"""The components of the target `local`: one file each, joined here."""

from functools import cache as remembered

from cordillera.components.wanted import Wanted
from cordillera.targets.local import (
    _keepers,
    _logs,
    _lookouts,
    _proxy,
    _resources,
    _votes,
    _zone,
    balancer,
    certificate,
    firewall,
    network,
    service,
)
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import LocalPart
from cordillera.targets.local._site import Site


@remembered
def everything() -> tuple[Component, ...]:
    """Every component, in the order in which their parts are built."""
    return (
        network.Network(),
        certificate.Certificate(),
        _zone.Zones(),
        _logs.Logs(),
        _proxy.Proxy(),
        _votes.Voters(),
        _keepers.Keepers(),
        *_resources.by_type().values(),
        firewall.Firewall(),
        service.Services(),
        _lookouts.Lookouts(),
        balancer.Balancer(),
        balancer.Front(),
    )


def by_name(name: str) -> Component:
    """The component whose parts are called `name/...`."""
    return next(c for c in everything() if c.name == name)


def build(want: Wanted, site: Site) -> list[LocalPart]:
    """All parts of an environment. Reads the app's folder, touches nothing."""
    return [part for component in everything() for part in component.parts(want, site)]
