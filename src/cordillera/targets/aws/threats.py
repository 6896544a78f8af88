"""Threats on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("GuardDuty is not built yet")


class Threats(Component):
    """Nothing yet."""

    name = "threats"
