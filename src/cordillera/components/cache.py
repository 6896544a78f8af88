"""The cache: what the manifest may ask, what every target must do."""

from typing import Literal

from pydantic import Field, model_validator

from cordillera.components.base import Section
from cordillera.core.units import Bytes


class CacheSpec(Section):
    """A Redis-compatible cache: a master, a replica in another zone, fail-over by vote.

    A write is acknowledged before the replica has it: what the last second acknowledged can be lost with
    the master's zone, but for what the app had confirmed by `WAIT 1`. See the page on the cache.
    """

    type: Literal["cache"]
    """Says that this resource is a cache."""

    memory: Bytes = Field(default=64 * 2**20, ge=2**20)
    """What it may hold."""

    evict: bool = False
    """When full: true drops what was unused longest, false refuses new entries."""

    durable: bool = False
    """Keep all that the app had confirmed by `WAIT 1`: on disk in two zones, refused while one is lost."""

    @model_validator(mode="after")
    def _kept(self) -> "CacheSpec":
        if self.durable and self.evict:
            raise ValueError("durable and evict exclude each other: what is evicted is lost")
        return self
