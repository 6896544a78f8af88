"""The target `aws` put together: engine, verbs, and what each component offers."""

from cordillera.components.target import Target
from cordillera.targets.aws import (
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
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._verbs import AwsVerbs


def target() -> Target:
    """The target of AWS."""
    return Target(
        name="aws",
        engine=lambda _: AwsEngine(),
        verbs=AwsVerbs(),
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
