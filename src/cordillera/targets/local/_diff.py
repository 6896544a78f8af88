"""What turns what is found into what is wanted. Pure: no probing, no clock."""

from collections.abc import Iterable, Mapping, Sequence

from cordillera.components.protocol import Change, Effect
from cordillera.targets.local._intent import Owned
from cordillera.targets.local._parts import LocalPart, Process, shape

WAVES: tuple[tuple[str, ...], ...] = (
    ("network",),
    ("certificate", "secrets"),
    ("zone",),
    (
        "build",
        "logs",
        "proxy",
        "votes",
        "keeper",
        "database",
        "cache",
        "search",
        "mail",
        "objects-masters",
        "firewall",
    ),
    ("database/setup", "cache/setup", "search/setup", "mail/setup", "objects-masters/lead"),
    ("objects", "queue"),
    ("objects/setup", "queue/setup"),
    ("endpoints",),
    ("release",),
    ("service",),
    ("balancer", "lookout"),
    ("front",),
)
"""Units by what their name begins with: those of one wave start together, after the wave before."""

RETIRE = "retire/"
"""Units that delete: after everything else, because traffic must have moved away first."""


def wave_of(unit: str) -> int:
    """The wave a unit belongs to; an unlisted component goes with the services."""
    if unit.startswith(RETIRE):
        return len(WAVES)
    for index, members in enumerate(WAVES):
        if unit in members:
            return index
    first = unit.split("/", maxsplit=1)[0]
    return next(
        (i for i, members in enumerate(WAVES) if first in members), WAVES.index(("service",))
    )


def waves(units: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Units in order, grouped into what may run at once."""
    unique = list(dict.fromkeys(units))
    numbers = sorted({wave_of(unit) for unit in unique})
    return tuple(tuple(u for u in unique if wave_of(u) == number) for number in numbers)


def changes(
    wanted: Sequence[LocalPart],
    owned: Mapping[str, Owned],
    running: Mapping[str, str],
    broken: Mapping[str, str],
) -> list[tuple[str, Change]]:
    """(unit, change) for every difference.

    `running` maps a process part to the digest it was started with; `broken` maps parts that were
    done and no longer hold in the world to the reason.
    """
    found = [
        (part.unit, change)
        for part in wanted
        if (change := _one(part, owned.get(part.key), running, broken)) is not None
    ]
    keys = {part.key for part in wanted}
    gone = [
        (RETIRE + old.unit, _change(old, Effect.DELETE, "no longer in the manifest"))
        for key, old in owned.items()
        if key not in keys
    ]
    return found + gone


def _one(
    part: LocalPart, old: Owned | None, running: Mapping[str, str], broken: Mapping[str, str]
) -> Change | None:
    is_process = isinstance(part.body, Process)
    if old is None:
        begun = " (was begun and not finished)" if part.key in running else ""
        return _change(part, Effect.CREATE, f"not there yet{begun}")
    if old.digest != part.digest:
        return _change(part, _effect_of_change(part, old), "its settings changed")
    if is_process and part.key not in running:
        return _change(part, Effect.RESTART, "it does not run")
    if is_process and running[part.key] not in (part.digest, ""):
        return _change(part, Effect.RESTART, "it runs with older settings")
    if part.key in broken:
        return _change(part, Effect.UPDATE, broken[part.key])
    return None


def _effect_of_change(part: LocalPart, old: Owned) -> Effect:
    """Changed files may be read again by a running program; anything else needs a new start."""
    if not isinstance(part.body, Process) or (part.body.reload and old.shape == shape(part.body)):
        return Effect.UPDATE
    return Effect.RESTART


def _change(part: LocalPart | Owned, effect: Effect, why: str) -> Change:
    return Change(part.component, part.name, effect, part.holds_data, certain=True, why=why)
