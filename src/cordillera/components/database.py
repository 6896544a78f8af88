"""The database: what the manifest may ask, what every target must do."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cordillera.components.base import Section
from cordillera.core.units import Bytes

WINDOW = re.compile(r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")


def _window(value: str) -> str:
    if not WINDOW.match(value):
        raise ValueError(f"{value!r} is not a window: write it like 04:00-05:00")
    return value


class BackupsSpec(Section):
    """When full copies are made and how long they are kept."""

    window: Annotated[str, AfterValidator(_window)] = "04:00-05:00"
    """Hours of low traffic, in UTC."""

    keep_days: int = Field(default=10, ge=1, le=35)
    """Days a daily backup is kept; recovery to a second reaches as far."""


class CapacitySpec(Section):
    """How far servers grow with their load, in units of about 2 GiB of memory and its share of CPU."""

    min: float = Field(default=0.5, ge=0.5, le=256, multiple_of=0.5)
    """What each server keeps while nothing happens."""

    max: float = Field(default=8, ge=1, le=256, multiple_of=0.5)
    """What it grows to; also bounds the connections that are possible."""

    @model_validator(mode="after")
    def _range(self) -> "CapacitySpec":
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is greater than max ({self.max:g})")
        return self


class DatabaseSpec(Section):
    """A MySQL-compatible database: one writer, a replica in each other zone."""

    type: Literal["database"]
    """Says that this resource is a database."""

    backups: BackupsSpec = BackupsSpec.model_construct()
    """Backups; offered where the target offers them."""

    memory: Bytes = Field(default=128 * 2**20, ge=16 * 2**20)
    """On `local`: cache for tables and indexes in each server."""

    capacity: CapacitySpec = CapacitySpec.model_construct()
    """On `aws`: how far servers grow with their load."""

    proxy: bool = False
    """On `aws`: keep connections in a proxy, for apps that open many."""

    require_tls: bool = False
    """On `aws`: refuse connections without TLS; the app must ask its driver for it."""
