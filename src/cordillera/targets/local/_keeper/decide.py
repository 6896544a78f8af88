"""What a keeper does next, from what the votes and the servers say. Pure: no probing, no clock.

The rules, in words: only who has every acknowledged transaction may hold the office (the writer that was
opened last, and who confirmed all its commits). A writer that nobody confirms either waits, or first has a
majority agree that nobody may follow it. So whatever a frozen or cut-off writer still does, nobody is told
that it is safe.
"""

from dataclasses import dataclass
from enum import Enum

from cordillera.targets.local._keeper.votes import Votes

LOST_AFTER_S = 2.5
"""A server that has been silent, or out of step, for that long is lost. Shorter, and busy disks are."""
GONE_AFTER_S = 0.7
"""A server that refuses connections for that long has died."""


class Step(Enum):
    """What to do in this turn."""

    NOTHING = "nothing to do"
    TAKE = "take the office"
    LEAVE = "give the office back"
    FENCE = "end the server: it must not write"
    OPEN = "apply everything received, then take writes"
    FOLLOW = "follow the writer"
    ALONE = "go on without a second zone"
    WAIT_FOR_ALL = "have commits wait for the second zone again"
    CONFIRM = "the second zone is in step again"


@dataclass(frozen=True)
class Here:
    """The zone's own server. `well` is False when it must not write (its disk is full, say).

    `dead_s` counts while it refuses connections, `stuck_s` while it accepts them and says nothing.
    `follows` is the zone it replicates from; `halted` that its replication stopped, by an error or a hand.
    `waits`: commits wait for a second zone.
    """

    zone: str
    answers: bool = True
    well: bool = True
    writable: bool = False
    follows: str = ""
    halted: bool = False
    waits: bool = False
    dead_s: float = 0.0
    stuck_s: float = 0.0


@dataclass(frozen=True)
class Second:
    """The other zone's server as the writer sees it. `lost_s` counts while it is not in step.

    `near`: it receives, and is so little behind that commits may wait for it. `has_all`: it has
    received everything that was committed before commits waited. `measured`: it is known how much
    that is; a keeper that has just begun does not know.
    """

    zone: str
    near: bool = False
    has_all: bool = False
    measured: bool = False
    lost_s: float = 0.0


def decide(votes: Votes | None, here: Here, second: Second, *, lease: int, lapsed: bool) -> Step:
    """The next step. `votes` is None while no majority answers; `lapsed`: our lease may be over."""
    if votes is None:
        return Step.FENCE if here.writable and lapsed else Step.NOTHING
    if not votes.holder:
        return _without_holder(votes, here)
    if votes.holder != here.zone or votes.lease != lease:
        return _under_another(votes, here)
    return _in_office(votes, here, second)


def _without_holder(votes: Votes, here: Here) -> Step:
    if votes.record is None:
        return Step.NOTHING
    if here.zone not in votes.record.eligible or not here.well:
        return Step.FENCE if here.writable else Step.NOTHING
    alone = votes.record.eligible == {here.zone}
    return Step.TAKE if here.answers or alone else Step.NOTHING


def _under_another(votes: Votes, here: Here) -> Step:
    if here.writable:
        return Step.FENCE
    if not here.answers:
        return Step.FENCE if here.stuck_s > LOST_AFTER_S else Step.NOTHING
    # Until the holder has opened, whoever wrote last is left as it is: it may be needed again.
    astray = here.follows != votes.holder or here.halted
    return Step.FOLLOW if votes.opened and astray else Step.NOTHING


def _in_office(votes: Votes, here: Here, second: Second) -> Step:
    assert votes.record is not None
    others = votes.record.eligible - {here.zone}
    if not here.answers or not here.well:
        lost = here.dead_s > GONE_AFTER_S or here.stuck_s > LOST_AFTER_S or not here.well
        if others and lost:
            return Step.LEAVE
        return Step.FENCE if here.stuck_s > LOST_AFTER_S else Step.NOTHING
    if not here.writable or votes.record.writer != here.zone:
        return Step.OPEN
    return _replication(votes, here, second)


def _replication(votes: Votes, here: Here, second: Second) -> Step:
    assert votes.record is not None
    confirmed = second.zone in votes.record.in_step
    if confirmed and not here.waits:
        return Step.ALONE  # commits did not wait, whatever made it so: nobody may follow
    if second.lost_s > LOST_AFTER_S and here.waits:
        return Step.ALONE
    if second.near and not confirmed and not (here.waits and second.measured):
        return Step.WAIT_FOR_ALL
    if second.has_all and here.waits and not confirmed:
        return Step.CONFIRM
    return Step.NOTHING
