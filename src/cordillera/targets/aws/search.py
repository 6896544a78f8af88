"""Search on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("OpenSearch is not built yet")


class Search(Component):
    """Nothing yet."""

    name = "search"
