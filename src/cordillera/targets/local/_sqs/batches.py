"""Batches, and the answers about single messages that they share with the plain verbs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cordillera.targets.local._sqs import md5, messages
from cordillera.targets.local._sqs.errors import SqsError
from cordillera.targets.local._sqs.queues import Queue
from cordillera.targets.local._sqs.store import NewMessage, Store, receipt_of

MOST_ENTRIES = 10
MOST_BYTES = 1_048_576


def entries(asked: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """A batch's entries. Raises SqsError for none, too many, or an id twice."""
    found = list(asked.get("Entries") or [])
    ids = [entry.get("Id") for entry in found]
    if not found:
        raise _batch_error(
            "EmptyBatchRequest", f"There should be at least one {kind} in the request."
        )
    if len(found) > MOST_ENTRIES:
        raise _batch_error(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(found)}.",
        )
    if len(set(ids)) < len(ids):
        raise _batch_error(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )
    return found


def send(store: Store, queue: Queue, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Keep what can be kept; say of each other one why not."""
    total = sum(
        messages.size(e.get("MessageBody") or "", e.get("MessageAttributes") or {}) for e in found
    )
    if total > MOST_BYTES:
        raise _batch_error(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MOST_BYTES} bytes. You have sent {total} bytes.",
        )
    good: list[tuple[str, NewMessage]] = []
    failed: list[dict[str, Any]] = []
    for entry in found:
        try:
            good.append((entry["Id"], messages.new(queue, entry)))
        except SqsError as e:
            failed.append(_failed(entry, e))
    kept = store.send(queue, [message for _, message in good]) if good else []
    done = [
        {"Id": name, **sent(queue, message, *places)}
        for (name, message), places in zip(good, kept, strict=True)
    ]
    return _answer(done, failed)


def each(asked: Mapping[str, Any], do: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """Do it for every entry; say of each failed one why."""
    done, failed = [], []
    for entry in entries(asked, "entry"):
        try:
            do(entry)
            done.append({"Id": entry["Id"]})
        except SqsError as e:
            failed.append(_failed(entry, e))
    return _answer(done, failed)


def sent(queue: Queue, message: NewMessage, name: str, number: int) -> dict[str, Any]:
    """What a sender is told of a message that was kept."""
    answer: dict[str, Any] = {"MessageId": name, "MD5OfMessageBody": md5.of_body(message.body)}
    if message.attributes:
        answer["MD5OfMessageAttributes"] = md5.of_attributes(message.attributes)
    if queue.fifo:
        answer["SequenceNumber"] = f"{number:020d}"
    return answer


def received(row: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a receiver gets it: with the attributes that it asked for."""
    answer: dict[str, Any] = {
        "MessageId": row["message_id"],
        "ReceiptHandle": receipt_of(row),
        "MD5OfBody": md5.of_body(row["body"]),
        "Body": row["body"],
    }
    own = dict(
        _chosen(json.loads(row["attributes"] or "{}"), asked.get("MessageAttributeNames") or [])
    )
    if own:
        answer["MessageAttributes"] = own
        answer["MD5OfMessageAttributes"] = md5.of_attributes(own)
    wanted = [
        *(asked.get("AttributeNames") or []),
        *(asked.get("MessageSystemAttributeNames") or []),
    ]
    known = _system(row)
    system = {k: v for k, v in known.items() if "All" in wanted or k in wanted}
    if system:
        answer["Attributes"] = system
    return answer


def _system(row: Mapping[str, Any]) -> dict[str, str]:
    known = {
        "SenderId": "app",
        "SentTimestamp": str(row["sent_at"]),
        "ApproximateReceiveCount": str(row["received"]),
        "ApproximateFirstReceiveTimestamp": str(row["first_received_at"]),
    }
    if row["group_id"] is not None:
        known["MessageGroupId"] = row["group_id"]
    if row["deduplication_id"] is not None:
        known["MessageDeduplicationId"] = row["deduplication_id"]
        known["SequenceNumber"] = f"{row['id']:020d}"
    return known


def _chosen(attributes: Mapping[str, Any], wanted: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name, value in attributes.items():
        starts = any(w.endswith(".*") and name.startswith(w[:-2]) for w in wanted)
        if name in wanted or "All" in wanted or ".*" in wanted or starts:
            yield name, value


def _failed(entry: Mapping[str, Any], error: SqsError) -> dict[str, Any]:
    return {"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": str(error)}


def _answer(done: list[Any], failed: list[Any]) -> dict[str, Any]:
    return {"Successful": done, **({"Failed": failed} if failed else {})}


def _batch_error(code: str, message: str) -> SqsError:
    return SqsError(code, message, query_code=f"AWS.SimpleQueueService.{code}")
