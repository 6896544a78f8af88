"""The target `local` put together: engine, verbs, and what each component offers."""

from cordillera.components.target import NotOffered, Offered, Target
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._verbs import LocalVerbs


def target() -> Target:
    """The target of one Linux machine."""
    return Target(
        name="local",
        engine=lambda listen: LocalEngine(listen=listen),
        verbs=LocalVerbs(),
        network=Offered("without root only loopback addresses keep environments apart"),
        balancer=Offered("one public service"),
        firewall=Offered(),
        cdn=Offered("a content cache in each zone; there are no edge locations"),
        certificate=Offered("from the environment's own authority"),
        secrets=Offered("the key lies on the same machine"),
        service=Offered("no container images yet"),
        database=Offered("one cluster per environment"),
        cache=Offered(),
        search=Offered("in memory: not durable, not highly available"),
        objects=Offered(),
        queue=Offered(),
        mail=Offered("captured, unless providers are named"),
        monitoring=NotOffered("look at `cordillera status --watch` and `cordillera logs` for now"),
        threats=NotOffered("run your own intrusion detection on the machine for now"),
        backup=NotOffered("copy the data with the servers' own tools for now"),
    )
