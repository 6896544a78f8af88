"""List prices, out of a table with a date that lies beside this file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

HOURS = 730.0
"""Hours of a month, as AWS counts them."""

INSTEAD = "us-east-1"
SPOT_SHARE = 0.3
"""What Fargate Spot costs of Fargate, about: its price moves."""


@cache
def table() -> Mapping[str, Any]:
    """The whole table: date, source, regions."""
    text = (resources.files("cordillera.targets.aws") / "prices.json").read_text()
    made: dict[str, Any] = json.loads(text)
    return made


@dataclass(frozen=True)
class Prices:
    """The prices of one region; those of us-east-1 where it has none of its own."""

    region: str
    known: Mapping[str, float] = field(default_factory=dict)

    def usd(self, key: str) -> float | None:
        """US dollars for one of it; None when the table does not know it."""
        return self.known.get(key)

    def month(self, key: str) -> float | None:
        """US dollars for a month of something that is paid by the hour."""
        found = self.known.get(f"{key} hour")
        return None if found is None else found * HOURS


def of(region: str) -> Prices:
    """The prices of a region."""
    known = table()["regions"]
    return Prices(region, known.get(region) or known[INSTEAD])


def borrowed(region: str) -> bool:
    """Whether a region's prices are another's."""
    return region not in table()["regions"]
