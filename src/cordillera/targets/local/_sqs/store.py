"""Queues and messages as rows. Every method is one transaction; the database's clock is the clock."""

import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from cordillera.targets.local._sqs.database import Database
from cordillera.targets.local._sqs.errors import SqsError, no_such_queue
from cordillera.targets.local._sqs.queues import Queue
from cordillera.targets.local._sqs.schema import NOW_MS, TABLES

DEDUPLICATE_MS = 5 * 60 * 1000
SWEPT_AT_ONCE = 1000


@dataclass(frozen=True)
class NewMessage:
    """A message to be kept. `attributes` as the protocol has them; times in milliseconds."""

    body: str
    attributes: Mapping[str, Any]
    delay_ms: int
    group_id: str | None = None
    deduplication_id: str | None = None


class Store:
    """Everything that the front asks of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self) -> None:
        """Make the tables. May be called twice, and by two at once."""
        self._database.run(lambda cursor: [cursor.execute(table) for table in TABLES])

    def alive(self) -> bool:
        """Whether the database answers."""
        try:
            self._database.run(lambda cursor: cursor.execute("SELECT 1"))
        except (pymysql.Error, OSError):
            return False
        return True

    # -- queues -----------------------------------------------------------------------------

    def put_queue(self, name: str, attributes: Mapping[str, str], *, replace: bool) -> None:
        """Make a queue; of one that is there, replace the attributes or leave them."""
        change = (
            "attributes=VALUES(attributes), changed_at=VALUES(changed_at)" if replace else "id=id"
        )
        sql = (
            "INSERT INTO queues (name, attributes, created_at, changed_at) "
            f"VALUES (%s, %s, {NOW_MS}, {NOW_MS}) ON DUPLICATE KEY UPDATE {change}"
        )
        self._database.run(lambda c: c.execute(sql, (name, json.dumps(dict(attributes)))))

    def queue(self, name: str) -> Queue:
        """Raises SqsError when there is none."""
        row = self._database.run(lambda c: _one(c, "SELECT * FROM queues WHERE name=%s", name))
        if row is None:
            raise no_such_queue()
        return _queue(row)

    def queues(self, prefix: str = "") -> list[Queue]:
        """All of them, by name."""
        rows = self._database.run(
            lambda c: _all(c, "SELECT * FROM queues WHERE name LIKE %s ORDER BY name", prefix + "%")
        )
        return [_queue(row) for row in rows]

    def drop_queue(self, queue: Queue) -> None:
        """Delete a queue and its messages."""

        def work(cursor: DictCursor) -> None:
            for table, column in (
                ("messages", "queue"),
                ("deduplication", "queue"),
                ("queues", "id"),
            ):
                cursor.execute(f"DELETE FROM {table} WHERE {column}=%s", (queue.id,))

        self._database.run(work)

    def purge(self, queue: Queue) -> None:
        """Delete every message of a queue."""
        self._database.run(lambda c: c.execute("DELETE FROM messages WHERE queue=%s", (queue.id,)))

    def counts(self, queue: Queue) -> dict[str, int]:
        """Messages `waiting`, `in_flight` and `delayed`."""
        sql = f"""
            SELECT COALESCE(SUM(visible_at <= {NOW_MS}), 0) AS waiting,
                   COALESCE(SUM(visible_at > {NOW_MS} AND receipt IS NOT NULL), 0) AS in_flight,
                   COALESCE(SUM(visible_at > {NOW_MS} AND receipt IS NULL), 0) AS delayed_
            FROM messages WHERE queue=%s
        """
        row = self._database.run(lambda c: _one(c, sql, queue.id)) or {}
        return {key.rstrip("_"): int(value) for key, value in row.items()}

    # -- sending ----------------------------------------------------------------------------

    def send(self, queue: Queue, messages: Sequence[NewMessage]) -> list[tuple[str, int]]:
        """Keep messages; (message id, sequence number) of each. All or none."""

        def work(cursor: DictCursor) -> list[tuple[str, int]]:
            if queue.fifo:
                cursor.execute("SELECT id FROM queues WHERE id=%s FOR UPDATE", (queue.id,))
            return [_insert(cursor, queue, message) for message in messages]

        return self._database.run(work)

    # -- receiving --------------------------------------------------------------------------

    def receive(self, queue: Queue, limit: int, visible_ms: int) -> list[dict[str, Any]]:
        """Hide up to `limit` messages for `visible_ms` and return them; rows, oldest first."""

        def work(cursor: DictCursor) -> list[dict[str, Any]]:
            rows = _due(cursor, queue, limit)
            dead = [r for r in rows if queue.dead_after and r["received"] >= queue.dead_after]
            if dead:
                _set_aside(cursor, queue, dead)
            taken = [r for r in rows if r not in dead]
            return [_hide(cursor, row, visible_ms) for row in taken]

        return self._database.run(work)

    def delete(self, queue: Queue, receipt: str) -> None:
        """Delete what was received; nothing to do when it is gone. Raises SqsError for a bad handle."""
        number, key = _handle(receipt)
        sql = "DELETE FROM messages WHERE id=%s AND queue=%s AND receipt=%s"
        self._database.run(lambda c: c.execute(sql, (number, queue.id, key)))

    def hide(self, queue: Queue, receipt: str, visible_ms: int) -> None:
        """Set when a message that is in flight comes back. Raises SqsError when it is not in flight."""
        number, key = _handle(receipt)
        sql = (
            f"UPDATE messages SET visible_at={NOW_MS}+%s "
            f"WHERE id=%s AND queue=%s AND receipt=%s AND visible_at>{NOW_MS}"
        )
        changed = self._database.run(lambda c: c.execute(sql, (visible_ms, number, queue.id, key)))
        if not changed:
            raise SqsError(
                "MessageNotInflight",
                "The message is not in flight: it is visible again, or deleted.",
                query_code="AWS.SimpleQueueService.MessageNotInflight",
            )

    # -- housekeeping -----------------------------------------------------------------------

    def redrive(self, queue: Queue, target: Queue | None) -> int:
        """Send dead letters back to where they came from, or to `target`; how many."""
        sql = (
            f"UPDATE messages SET queue=COALESCE(%s, source), source=NULL, received=0, receipt=NULL, "
            f"visible_at={NOW_MS} WHERE queue=%s AND (source IS NOT NULL OR %s IS NOT NULL)"
        )
        to = target.id if target else None
        return self._database.run(lambda c: c.execute(sql, (to, queue.id, to)))

    def sweep(self, queue: Queue) -> None:
        """Forget messages older than the queue keeps them, and old deduplication ids."""
        old = f"DELETE FROM messages WHERE queue=%s AND sent_at < {NOW_MS}-%s LIMIT {SWEPT_AT_ONCE}"
        known = f"DELETE FROM deduplication WHERE queue=%s AND sent_at < {NOW_MS}-%s"
        self._database.run(lambda c: c.execute(old, (queue.id, queue.retention_ms)))
        self._database.run(lambda c: c.execute(known, (queue.id, DEDUPLICATE_MS)))


def receipt_of(row: Mapping[str, Any]) -> str:
    """The handle that a receiver gets."""
    return f"{row['id']}-{row['receipt']}"


def _queue(row: Mapping[str, Any]) -> Queue:
    settings = json.loads(row["attributes"])
    return Queue(row["id"], row["name"], settings, row["created_at"], row["changed_at"])


def _handle(receipt: str) -> tuple[int, str]:
    number, _, key = receipt.partition("-")
    if not number.isdigit() or len(key) != 32:
        raise SqsError(
            "ReceiptHandleIsInvalid", f"The receipt handle {receipt!r:.80} is not valid."
        )
    return int(number), key


def _insert(cursor: DictCursor, queue: Queue, message: NewMessage) -> tuple[str, int]:
    if message.deduplication_id and queue.fifo:
        known = _one(
            cursor,
            f"SELECT message_id, sequence FROM deduplication WHERE queue=%s AND deduplication_id=%s "
            f"AND sent_at > {NOW_MS}-{DEDUPLICATE_MS}",
            queue.id,
            message.deduplication_id,
        )
        if known:
            return known["message_id"], known["sequence"]
    name = str(uuid.uuid4())
    cursor.execute(
        "INSERT INTO messages (queue, message_id, body, attributes, group_id, deduplication_id, "
        f"sent_at, visible_at) VALUES (%s, %s, %s, %s, %s, %s, {NOW_MS}, {NOW_MS}+%s)",
        (
            queue.id,
            name,
            message.body,
            json.dumps(message.attributes) if message.attributes else None,
            message.group_id,
            message.deduplication_id,
            message.delay_ms,
        ),
    )
    number = int(cursor.lastrowid)
    if message.deduplication_id and queue.fifo:
        cursor.execute(
            f"REPLACE INTO deduplication VALUES (%s, %s, %s, %s, {NOW_MS})",
            (queue.id, message.deduplication_id, name, number),
        )
    return name, number


def _due(cursor: DictCursor, queue: Queue, limit: int) -> list[dict[str, Any]]:
    if not queue.fifo:
        sql = (
            f"SELECT * FROM messages WHERE queue=%s AND visible_at<={NOW_MS} "
            "ORDER BY visible_at, id LIMIT %s FOR UPDATE SKIP LOCKED"
        )
        return _all(cursor, sql, queue.id, limit)
    # One receiver at a time: a group with a message in flight, or a delayed one, waits as a whole.
    cursor.execute("SELECT id FROM queues WHERE id=%s FOR UPDATE", (queue.id,))
    sql = (
        f"SELECT * FROM messages WHERE queue=%s AND visible_at<={NOW_MS} AND group_id NOT IN "
        f"(SELECT group_id FROM messages WHERE queue=%s AND visible_at>{NOW_MS}) "
        "ORDER BY id LIMIT %s FOR UPDATE"
    )
    return _all(cursor, sql, queue.id, queue.id, limit)


def _hide(cursor: DictCursor, row: dict[str, Any], visible_ms: int) -> dict[str, Any]:
    receipt = secrets.token_hex(16)
    cursor.execute(
        f"UPDATE messages SET visible_at={NOW_MS}+%s, receipt=%s, received=received+1, "
        f"first_received_at=COALESCE(first_received_at, {NOW_MS}) WHERE id=%s",
        (visible_ms, receipt, row["id"]),
    )
    found = _one(cursor, "SELECT first_received_at FROM messages WHERE id=%s", row["id"]) or row
    return {**row, **found, "received": row["received"] + 1, "receipt": receipt}


def _set_aside(cursor: DictCursor, queue: Queue, dead: Sequence[Mapping[str, Any]]) -> None:
    target = _one(cursor, "SELECT id FROM queues WHERE name=%s", queue.dead_letters)
    if target is None:
        return
    for row in dead:
        cursor.execute(
            f"UPDATE messages SET queue=%s, source=%s, receipt=NULL, received=0, visible_at={NOW_MS} "
            "WHERE id=%s",
            (target["id"], queue.id, row["id"]),
        )


def _one(cursor: DictCursor, sql: str, *values: object) -> dict[str, Any] | None:
    cursor.execute(sql, values)
    return cursor.fetchone()


def _all(cursor: DictCursor, sql: str, *values: object) -> list[dict[str, Any]]:
    cursor.execute(sql, values)
    return list(cursor.fetchall())
