"""The network: what the manifest may ask, what every target must do."""

from typing import Literal

from cordillera.components.base import Name, Section


class NetworkSpec(Section):
    """An environment's own network, where the target has networks to choose from."""

    outbound: Literal["zone", "single", "none"] = "zone"
    """How services reach the internet: a gateway in each zone, one for all (cheaper; its zone's loss
    cuts everybody off), or none: services get addresses of their own behind closed groups (cheapest)."""

    endpoints: list[Name] = []
    """Services of the cloud reached without the internet, as the cloud names them, such as `ecr-api`."""

    internal: bool = False
    """True: the published address is reached from inside the network only."""
