"""What a majority agrees on about the database: who holds the office of the writer, and who may follow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cordillera.targets.local._keeper import etcd
from cordillera.targets.local._keeper.etcd import Etcd

HOLDER, RECORD = "database/holder", "database/record"


@dataclass(frozen=True)
class Record:
    """`epoch` counts openings; `writer` was opened last; `in_step` confirm every commit of it.

    Only the writer and those in step have every acknowledged transaction: nobody else may be opened.
    """

    epoch: int
    writer: str
    in_step: frozenset[str] = frozenset()

    @property
    def eligible(self) -> frozenset[str]:
        """Zones whose database has every acknowledged transaction."""
        return self.in_step | {self.writer}

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(
            {"epoch": self.epoch, "writer": self.writer, "in_step": sorted(self.in_step)}
        )


@dataclass(frozen=True)
class Votes:
    """The votes at one moment. `holder` is the zone whose keeper has the lease, or empty."""

    holder: str = ""
    lease: int = 0
    record: Record | None = None
    revision: int = 0

    @property
    def opened(self) -> bool:
        """Whether the holder has opened its database since it took the office."""
        return bool(self.record) and bool(self.holder) and self.record.writer == self.holder  # type: ignore[union-attr]


def read(client: Etcd) -> Votes:
    """What is agreed on now. Raises Silent."""
    holder, record = client.read(HOLDER, RECORD)
    return Votes(
        holder=holder.value if holder else "",
        lease=holder.lease if holder else 0,
        record=_record(record.value) if record else None,
        revision=record.changed if record else 0,
    )


def begin(client: Etcd, zone: str, epoch: int) -> None:
    """Note who wrote last, if nothing is noted yet. May be called twice. Raises Silent."""
    client.change([etcd.absent(RECORD)], etcd.put(RECORD, Record(epoch, zone).text()))


def take(client: Etcd, zone: str, lease: int, seen: Votes) -> bool:
    """Take the office if it is free and nothing changed since `seen`. Raises Silent."""
    conditions = [etcd.absent(HOLDER), etcd.unchanged(RECORD, seen.revision)]
    return client.change(conditions, etcd.put(HOLDER, zone, lease))


def leave(client: Etcd, lease: int) -> None:
    """Give the office back, if it hangs on that lease. Raises Silent."""
    client.change([etcd.on_lease(HOLDER, lease)], etcd.delete(HOLDER))


def note(client: Etcd, lease: int, seen: Votes, record: Record) -> Votes | None:
    """Change the record as the holder that we were when we saw it; None when we are it no longer.

    Raises Silent: then it may have happened or not.
    """
    conditions = [etcd.on_lease(HOLDER, lease), etcd.unchanged(RECORD, seen.revision)]
    if not client.change(conditions, etcd.put(RECORD, record.text())):
        return None
    now = read(client)
    return now if now.lease == lease and now.record == record else None


def opening(record: Record, zone: str) -> Record:
    """The record when `zone` opens: a new epoch, in which nobody is in step yet. Pure."""
    return Record(record.epoch + 1, zone)


def with_in_step(record: Record, zones: Sequence[str]) -> Record:
    """The same with other zones in step. Pure."""
    return replace(record, in_step=frozenset(zones))


def _record(text: str) -> Record:
    found = json.loads(text)
    return Record(int(found["epoch"]), str(found["writer"]), frozenset(found["in_step"]))
