"""The database: what the manifest may ask, what every target must do."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

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


class DatabaseSpec(Section):
    """A MySQL-compatible database: one writer, a replica in each other zone."""

    type: Literal["database"]
    """Says that this resource is a database."""

    backups: BackupsSpec = BackupsSpec()
    """Backups; offered where the target offers them."""

    memory: Bytes = Field(default=128 * 2**20, ge=16 * 2**20)
    """Cache for tables and indexes in each server."""
