"""Search: what the manifest may ask, what every target must do."""

from typing import Literal

from pydantic import Field

from cordillera.components.base import Section
from cordillera.core.units import Bytes


class SearchSpec(Section):
    """An OpenSearch-compatible search server."""

    type: Literal["search"]
    """Says that this resource is search."""

    memory: Bytes = Field(default=256 * 2**20, ge=64 * 2**20)
    """What a server may use."""
