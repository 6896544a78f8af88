"""Mail on AWS: not built yet."""

from cordillera.components.target import NotOffered
from cordillera.targets.aws._component import Component

OFFER = NotOffered("SES is not built yet")


class Mail(Component):
    """Nothing yet."""

    name = "mail"
