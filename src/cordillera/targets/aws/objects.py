"""Objects on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("S3 is not built yet")


class Objects(Component):
    """Nothing yet."""

    name = "objects"
