"""The components of the target `aws`: one file each, joined here."""

from collections.abc import Iterable
from functools import cache as remembered

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import (
    _registry,
    _resources,
    _standby,
    backup,
    balancer,
    cdn,
    certificate,
    firewall,
    monitoring,
    network,
    secrets,
    service,
    threats,
)
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import AwsPart
from cordillera.targets.aws._site import Site


@remembered
def everything() -> tuple[Component, ...]:
    """Every component, in the order in which their parts are built."""
    return (
        network.Network(),
        secrets.Secrets(),
        certificate.Certificate(),
        *_resources.by_type().values(),
        service.Services(),
        balancer.Balancer(),
        firewall.Firewall(),
        cdn.Cdn(),
        monitoring.Monitoring(),
        threats.Threats(),
        backup.Backup(),
        _registry.Registry(),
    )


def build(want: Wanted, site: Site) -> list[AwsPart]:
    """All parts of an environment. Asks nobody, touches nothing."""
    made = _parts(everything(), want, site)
    if site.standby is None:
        return made
    there = _parts([each for each in everything() if each.in_standby], want, site.standby)
    return [*_standby.copied(made, site), *_standby.waiting(made, there)]


def _parts(components: Iterable[Component], want: Wanted, site: Site) -> list[AwsPart]:
    made: list[AwsPart] = []
    for component in components:
        made += component.parts(want, site)
        made += component.watching(made, want, site)
    return made
