"""The cache: what the manifest may ask, what every target must do."""

from typing import Literal

from pydantic import Field

from cordillera.components.base import Section
from cordillera.core.units import Bytes


class CacheSpec(Section):
    """A Redis-compatible cache: a master, a replica in another zone, fail-over by vote."""

    type: Literal["cache"]
    """Says that this resource is a cache."""

    memory: Bytes = Field(default=64 * 2**20, ge=2**20)
    """What it may hold."""

    evict: bool = False
    """When full: true drops what was unused longest, false refuses new entries."""
