"""Monitoring on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("CloudWatch is not built yet")


class Monitoring(Component):
    """Nothing yet."""

    name = "monitoring"
