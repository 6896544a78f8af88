"""Database on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("Aurora is not built yet")


class Database(Component):
    """Nothing yet."""

    name = "database"
