"""The edge: what stands between the internet and the services."""

from typing import Annotated

from pydantic import Field

from cordillera.components.base import Section
from cordillera.components.firewall import FirewallSpec

Domain = Annotated[str, Field(pattern=r"^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$")]
PathPattern = Annotated[str, Field(pattern=r'^/[^\s"{};\\]*$')]


class EdgeSpec(Section):
    """Domains, firewall and content cache."""

    domains: list[Domain] = []
    """Names the environment is reached by."""

    firewall: FirewallSpec = FirewallSpec.model_construct()
    """What is kept from the app."""

    cache: list[PathPattern] = []
    """Paths whose answers may be kept at the edge, such as `/static/*`."""
