"""Firewall on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("WAF is not built yet")


class Firewall(Component):
    """Nothing yet."""

    name = "firewall"
