"""Cdn on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("CloudFront is not built yet")


class Cdn(Component):
    """Nothing yet."""

    name = "cdn"
