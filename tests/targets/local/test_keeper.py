"""What a keeper decides, and that no order of events makes two writers or loses an acknowledged row."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local._keeper import votes
from cordillera.targets.local._keeper.decide import Here, Second, Step, decide
from cordillera.targets.local._keeper.plan import Plan
from cordillera.targets.local._keeper.server import LocalServer
from cordillera.targets.local._keeper.votes import Record, Votes

NEAR = Second("b", near=True)
LOST = Second("b", lost_s=60)


def record(*in_step: str, writer: str = "a") -> Record:
    return Record(4, writer, frozenset(in_step))


def step(
    holder: str, found: Record | None, here: Here, second: Second = NEAR, *, lapsed: bool = False
) -> Step:
    lease = 1 if holder == here.zone else 2
    return decide(Votes(holder, lease, found, 1), here, second, lease=1, lapsed=lapsed)


OPEN = Here("a", writable=True, waits=True)
CLOSED = Here("a")


@pytest.mark.parametrize(
    ("holder", "found", "here", "second", "wanted"),
    [
        # nobody holds the office
        ("", None, CLOSED, NEAR, Step.NOTHING),
        ("", record(), CLOSED, NEAR, Step.TAKE),
        ("", record("a", writer="b"), CLOSED, NEAR, Step.TAKE),
        ("", record(writer="b"), CLOSED, NEAR, Step.NOTHING),
        ("", record(writer="b"), OPEN, NEAR, Step.FENCE),
        ("", record(), Here("a", answers=False), NEAR, Step.TAKE),
        ("", record("b"), Here("a", answers=False), NEAR, Step.NOTHING),
        ("", record(), Here("a", well=False), NEAR, Step.NOTHING),
        # another does
        ("b", record(writer="b"), OPEN, NEAR, Step.FENCE),
        ("b", record(writer="b"), CLOSED, NEAR, Step.FOLLOW),
        ("b", record(writer="b"), Here("a", follows="b"), NEAR, Step.NOTHING),
        ("b", record(writer="b"), Here("a", follows="b", halted=True), NEAR, Step.FOLLOW),
        ("b", record("b"), CLOSED, NEAR, Step.NOTHING),
        ("b", record(writer="b"), Here("a", answers=False, stuck_s=9), NEAR, Step.FENCE),
        # we do
        ("a", record(), CLOSED, NEAR, Step.OPEN),
        ("a", record("a", writer="b"), Here("a", follows="b"), NEAR, Step.OPEN),
        ("a", record("b"), OPEN, NEAR, Step.NOTHING),
        ("a", record("b"), Here("a", answers=False, dead_s=2), NEAR, Step.LEAVE),
        ("a", record(), Here("a", answers=False, dead_s=2), NEAR, Step.NOTHING),
        ("a", record(), Here("a", answers=False, stuck_s=9), NEAR, Step.FENCE),
        ("a", record("b"), replace(OPEN, well=False), NEAR, Step.LEAVE),
        ("a", record("b"), OPEN, LOST, Step.ALONE),
        ("a", record("b"), replace(OPEN, waits=False), NEAR, Step.ALONE),
        ("a", record(), replace(OPEN, waits=False), NEAR, Step.WAIT_FOR_ALL),
        ("a", record(), replace(OPEN, waits=False), LOST, Step.NOTHING),
        ("a", record(), OPEN, replace(NEAR, has_all=True, measured=True), Step.CONFIRM),
        ("a", record(), OPEN, replace(NEAR, measured=True), Step.NOTHING),
        ("a", record(), OPEN, NEAR, Step.WAIT_FOR_ALL),
        ("a", record(), OPEN, LOST, Step.ALONE),
    ],
)
def test_each_rule(
    holder: str, found: Record | None, here: Here, second: Second, wanted: Step
) -> None:
    assert step(holder, found, here, second) is wanted


def test_without_votes_only_a_lease_that_may_be_over_ends_a_writer() -> None:
    assert decide(None, OPEN, NEAR, lease=1, lapsed=False) is Step.NOTHING
    assert decide(None, OPEN, NEAR, lease=1, lapsed=True) is Step.FENCE
    assert decide(None, CLOSED, NEAR, lease=1, lapsed=True) is Step.NOTHING


# -- any order of events ------------------------------------------------------------------------


@dataclass
class Node:
    """A zone: its server's log, what it told clients, and its keeper's memory."""

    log: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    alive: bool = True
    awake: bool = True
    reachable: bool = True
    writable: bool = False
    waits: bool = False
    follows: str = ""
    must_have: int | None = None
    seen: Votes | None = None


class World:
    """Two servers, their keepers, and votes that a majority keeps. Any event may come at any time.

    A keeper decides on what it read before, at any age: between reading and doing, everything may happen.
    """

    def __init__(self) -> None:
        self.nodes = {"a": Node(), "b": Node()}
        self.votes, self.leases = Votes("", 0, Record(0, "a"), 1), 0
        self.acknowledged: list[int] = []
        self.openings: list[tuple[int, str]] = []
        self.numbers = 0

    def other(self, zone: str) -> str:
        return "b" if zone == "a" else "a"

    def works(self, zone: str) -> bool:
        node = self.nodes[zone]
        return node.awake and node.alive

    def talk(self) -> bool:
        return all(self.works(z) and self.nodes[z].reachable for z in self.nodes)

    # -- events --------------------------------------------------------------------------------

    def write(self, zone: str) -> None:
        """A client writes; it is told so at once only when nobody has to confirm."""
        node = self.nodes[zone]
        if self.works(zone) and node.writable:
            self.numbers += 1
            node.log.append(self.numbers)
            if node.waits:
                node.waiting.append(self.numbers)
            else:
                self.acknowledged.append(self.numbers)

    def replicate(self, zone: str) -> None:
        """`zone` receives what the other has, if it follows it and their pasts agree."""
        node, source = self.nodes[zone], self.nodes[self.other(zone)]
        if not (self.talk() and node.follows == self.other(zone)):
            return
        if source.log[: len(node.log)] == node.log:
            node.log = list(source.log)
            self.acknowledged += source.waiting
            source.waiting = []

    def kill(self, zone: str) -> None:
        node = self.nodes[zone]
        node.alive = node.writable = node.waits = False
        node.waiting = []

    def start(self, zone: str) -> None:
        """As `_mariadb_start` does: under a writer that is open, what it has not got is undone."""
        node = self.nodes[zone]
        if node.alive or not node.awake or not node.reachable:
            return
        node.alive = True
        if not node.follows and self.votes.opened and self.votes.holder != zone:
            self._copy(zone)

    def expire(self, _: str) -> None:
        self.votes = replace(self.votes, holder="", lease=0)

    def restart(self, zone: str) -> None:
        """Another keeper goes on: it knows what its server and the votes say, and nothing else."""
        self.nodes[zone].seen = self.nodes[zone].must_have = None

    def freeze(self, zone: str) -> None:
        self.nodes[zone].awake = not self.nodes[zone].awake

    def cut(self, zone: str) -> None:
        self.nodes[zone].reachable = not self.nodes[zone].reachable

    def read(self, zone: str) -> None:
        node = self.nodes[zone]
        if node.awake:
            node.seen = self.votes if node.reachable else None

    def turn(self, zone: str) -> None:
        """The keeper acts on what it last read."""
        node = self.nodes[zone]
        if not node.awake:
            return
        here = Here(
            zone, answers=node.alive, writable=node.writable, follows=node.follows,
            waits=node.waits, dead_s=0.0 if node.alive else 60.0,
        )  # fmt: skip
        mine = node.seen.lease if node.seen and node.seen.holder == zone else -1
        found = decide(node.seen, here, self._second(zone), lease=mine, lapsed=True)
        getattr(self, f"_{found.name.lower()}")(zone, node.seen or Votes())

    def act(self, zone: str) -> None:
        """A keeper's turn without anything in between."""
        self.read(zone)
        self.turn(zone)

    # -- steps ---------------------------------------------------------------------------------

    def _second(self, zone: str) -> Second:
        node, name = self.nodes[zone], self.other(zone)
        other = self.nodes[name]
        receives = self.talk() and other.follows == zone
        measured = node.must_have is not None
        has_all = receives and len(other.log) >= (node.must_have or 0)
        return Second(
            name, near=receives, has_all=measured and has_all, measured=measured,
            lost_s=0 if receives else 60,
        )  # fmt: skip

    def _nothing(self, zone: str, seen: Votes) -> None:
        """Nothing to do."""

    def _fence(self, zone: str, _: Votes) -> None:
        self.kill(zone)

    def _leave(self, zone: str, seen: Votes) -> None:
        self.kill(zone)
        if self.nodes[zone].reachable and self.votes.lease == seen.lease:
            self.expire(zone)

    def _take(self, zone: str, seen: Votes) -> None:
        free = not self.votes.holder and self.votes.revision == seen.revision
        if free and self.nodes[zone].reachable:
            self.leases += 1
            self.votes = replace(self.votes, holder=zone, lease=self.leases)

    def _note(self, zone: str, seen: Votes, new: Record) -> bool:
        same = self.votes.lease == seen.lease and self.votes.revision == seen.revision
        if not (same and self.nodes[zone].reachable):
            return False
        self.votes = replace(self.votes, record=new, revision=self.votes.revision + 1)
        return True

    def _open(self, zone: str, seen: Votes) -> None:
        assert seen.record is not None
        new = votes.opening(seen.record, zone)
        if self._note(zone, seen, new):
            self.openings.append((new.epoch, zone))
            node = self.nodes[zone]
            node.writable, node.waits, node.follows, node.must_have = True, False, "", None

    def _alone(self, zone: str, seen: Votes) -> None:
        assert seen.record is not None
        if self._note(zone, seen, votes.with_in_step(seen.record, [])):
            node = self.nodes[zone]
            node.waits, node.must_have = False, None
            self.acknowledged += node.waiting
            node.waiting = []

    def _wait_for_all(self, zone: str, _: Votes) -> None:
        node = self.nodes[zone]
        node.waits, node.must_have = True, len(node.log)

    def _confirm(self, zone: str, seen: Votes) -> None:
        assert seen.record is not None
        self._note(zone, seen, votes.with_in_step(seen.record, [self.other(zone)]))

    def _follow(self, zone: str, _: Votes) -> None:
        node, source = self.nodes[zone], self.nodes[self.other(zone)]
        if self.talk() and source.writable:
            if source.log[: len(node.log)] != node.log:
                self._copy(zone)
            node.follows = self.other(zone)

    def _copy(self, zone: str) -> None:
        """Everything that the writer has, and nothing else."""
        if self.talk() or not self.nodes[zone].follows:
            self.nodes[zone].log = list(self.nodes[self.other(zone)].log)

    # -- promises ------------------------------------------------------------------------------

    def check(self) -> None:
        epochs = [epoch for epoch, _ in self.openings]
        assert epochs == sorted(set(epochs)), "two openings of one epoch"
        held = set(self.nodes[self.votes.record.writer].log) if self.votes.record else set()
        missing = set(self.acknowledged) - held
        assert not missing, f"acknowledged, and not at the writer: {missing}"


QUIET = ("act",) * 8 + ("write", "write", "replicate", "start")
ROUGH = ("kill", "expire", "expire", "freeze", "cut", "restart", "read", "turn", "turn")
EVENTS = [(event, zone) for zone in ("a", "b") for event in QUIET + ROUGH]
"""Mostly keepers that work, and everything else in between."""
HISTORIES = some.binary(min_size=20, max_size=60).map(
    lambda drawn: [EVENTS[one % len(EVENTS)] for one in drawn]
)
"""An event a byte: drawn several times as fast as lists are, so they may be longer."""


def settle(world: World) -> None:
    """Everything works again for a while."""
    for node in world.nodes.values():
        node.awake = node.reachable = True
    world.expire("")
    for _ in range(12):
        for zone in world.nodes:
            for event in ("start", "act", "replicate"):
                getattr(world, event)(zone)


BEFORE_IT_HAS_ALL = "act a, act a, write a, act b, act a, act a, expire a, act b, act b"
CUT_OFF_WHILE_ALONE = (
    "act a, act a, act b, act a, replicate b, act a, cut b, act a, write a, expire a, act b, act b"
)


def told(history: str) -> list[tuple[str, str]]:
    """A history as it is read aloud."""
    return [(event, zone) for event, zone in (one.split() for one in history.split(", "))]


@example(told(BEFORE_IT_HAS_ALL))
@example(told(CUT_OFF_WHILE_ALONE))
@settings(max_examples=3000, deadline=None)
@given(HISTORIES)
def test_no_history_loses_an_acknowledged_row_and_a_writer_comes_back(
    history: list[tuple[str, str]],
) -> None:
    world = World()
    for event, zone in history:
        getattr(world, event)(zone)
        world.check()

    settle(world)
    world.check()
    assert_one_writer_in_step(world)


@settings(max_examples=1000, deadline=None)
@given(HISTORIES, some.sampled_from(["a", "b"]))
def test_whoever_was_in_step_opens_when_the_other_zone_stays_dead(
    history: list[tuple[str, str]], dead: str
) -> None:
    world = World()
    for event, zone in history:
        getattr(world, event)(zone)
    settle(world)
    world.kill(dead)
    world.nodes[dead].awake = False

    world.expire("")
    for _ in range(6):
        world.act(world.other(dead))

    world.check()
    left = world.other(dead)
    assert world.votes.opened and world.votes.holder == left
    assert world.nodes[left].writable


def assert_one_writer_in_step(world: World) -> None:
    assert world.votes.opened
    writer = world.nodes[world.votes.holder]
    assert writer.alive and writer.writable
    assert sum(node.writable and node.alive for node in world.nodes.values()) == 1
    assert world.votes.record is not None
    assert world.votes.record.in_step == {world.other(world.votes.holder)}


@pytest.mark.parametrize(("answers", "ended"), [(False, 1), (True, 0)])
def test_a_server_that_waits_for_room_is_ended_once_when_there_is_room(
    answers: bool, ended: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = SimpleNamespace(name="a", state=tmp_path, run=tmp_path)
    plan = SimpleNamespace(zone=zone, root_password="", replication_password="", others={})
    keeps = LocalServer(cast(Plan, plan))
    monkeypatch.setattr(asking, "look", lambda *_: asking.Server("a", "", answers=answers))
    fenced: list[bool] = []
    monkeypatch.setattr(keeps, "fence", lambda: fenced.append(True))

    for refused in ("", "full", "full", "", ""):
        keeps._disk._refused = refused
        keeps.look()

    assert len(fenced) == ended
