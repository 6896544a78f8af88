"""The firewall: what the manifest may ask, what every target must do."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cordillera.components.base import Section
from cordillera.core.units import Bytes, Seconds


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value!r} is not a network: write it like 192.0.2.0/24") from None


Network = Annotated[str, AfterValidator(_network)]


class RateSpec(Section):
    """How many requests one address may make."""

    requests: int = Field(default=2000, ge=1)
    """Requests..."""

    per: Seconds = Field(default=300.0, ge=1, le=3600)
    """...in this span."""


class ExceptionSpec(Section):
    """Rules that are left out on one path, and why."""

    path: str = Field(pattern=r'^/[^\s"\\]*$')
    """Paths that begin like this."""

    rules: list[int] = Field(min_length=1)
    """Numbers of the rules, as the firewall's log tells them."""

    why: str = Field(min_length=10)
    """What would be blocked wrongly; for whoever reads this next year."""


class FirewallSpec(Section):
    """What is kept from the app: the OWASP Core Rule Set, rates, networks."""

    level: Literal["standard", "strict"] = "standard"
    """`strict` blocks more and asks for more exceptions (paranoia level 2)."""

    mode: Literal["block", "count"] = "block"
    """`count` lets everything pass and logs what would have been blocked."""

    rate: RateSpec = RateSpec.model_construct()
    """Requests from one address."""

    body_limit: Bytes = Field(default=128 * 2**10, ge=1024)
    """Largest body that is not a file."""

    upload_limit: Bytes = Field(default=32 * 2**20, ge=1024)
    """Largest body."""

    arguments_limit: int = Field(default=999, ge=10, le=10_000)
    """Most arguments in a request's query, form and JSON together; one with more is refused."""

    allow: list[Network] = []
    """Only these networks may come; empty is everybody."""

    deny: list[Network] = []
    """These networks may not."""

    exceptions: list[ExceptionSpec] = []
    """Narrow exceptions for what is blocked wrongly."""

    crs: str | None = None
    """A folder with another release of the Core Rule Set."""
