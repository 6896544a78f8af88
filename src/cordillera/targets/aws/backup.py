"""Backup on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("AWS Backup is not built yet")


class Backup(Component):
    """Nothing yet."""

    name = "backup"
