"""Cache on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("ElastiCache is not built yet")


class Cache(Component):
    """Nothing yet."""

    name = "cache"
