"""What servers have still to catch up with, and when they will have: measured twice, a moment apart."""

import time
from collections.abc import Mapping
from dataclasses import replace

from cordillera.components.state import Behind, Member, ResourceState
from cordillera.components.wanted import Wanted
from cordillera.targets.local._component import Component
from cordillera.targets.local._site import Site

BETWEEN_S = 0.7
SILENT = "no answer"

Amounts = Mapping[str, tuple[float, str]]
"""Zone -> (how much, of what)."""


def annotated(
    states: Mapping[str, ResourceState], component: Component, want: Wanted, site: Site
) -> dict[str, ResourceState]:
    """The same states, with what each member is behind. Takes a moment only when one is.

    While a server does not answer nothing is measured: asking it twice would only make the answer late.
    """
    if any(SILENT in member.detail for state in states.values() for member in state.members):
        return dict(states)
    first = component.behind(want, site)
    if not first:
        return dict(states)
    begun = time.monotonic()
    time.sleep(BETWEEN_S)
    found = compared(first, component.behind(want, site), time.monotonic() - begun)
    return {
        name: replace(state, members=tuple(_with(member, found) for member in state.members))
        for name, state in states.items()
    }


def compared(first: Amounts, second: Amounts, span_s: float) -> dict[str, Behind]:
    """Zone -> what is left, and for how long at the speed seen between two looks. Pure."""
    return {
        zone: Behind(amount, unit, _seconds_left(first.get(zone), amount, unit, span_s))
        for zone, (amount, unit) in second.items()
    }


def _seconds_left(
    before: tuple[float, str] | None, amount: float, unit: str, span_s: float
) -> float | None:
    if before is None or before[1] != unit or before[0] <= amount:
        return None
    return amount * span_s / (before[0] - amount)


def _with(member: Member, found: Mapping[str, Behind]) -> Member:
    catches_up = member.role not in ("writer", "master", "sentinel")
    return replace(member, behind=found.get(member.zone)) if catches_up else member
