"""The target `local` put together: engine, verbs, and what each component offers."""

from cordillera.components.target import Target
from cordillera.targets.local import (
    backup,
    balancer,
    cache,
    cdn,
    certificate,
    database,
    firewall,
    mail,
    monitoring,
    network,
    objects,
    queue,
    search,
    secrets,
    service,
    threats,
)
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._verbs import LocalVerbs


def target() -> Target:
    """The target of one Linux machine."""
    return Target(
        name="local",
        engine=lambda listen: LocalEngine(listen=listen),
        verbs=LocalVerbs(),
        network=network.OFFER,
        balancer=balancer.OFFER,
        firewall=firewall.OFFER,
        cdn=cdn.OFFER,
        certificate=certificate.OFFER,
        secrets=secrets.OFFER,
        service=service.OFFER,
        database=database.OFFER,
        cache=cache.OFFER,
        search=search.OFFER,
        objects=objects.OFFER,
        queue=queue.OFFER,
        mail=mail.OFFER,
        monitoring=monitoring.OFFER,
        threats=threats.OFFER,
        backup=backup.OFFER,
    )
