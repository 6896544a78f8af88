"""Queue on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("SQS is not built yet")


class Queue(Component):
    """Nothing yet."""

    name = "queue"
