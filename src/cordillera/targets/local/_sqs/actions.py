"""The verbs of SQS, as its API reference names them: a request's fields in, an answer's fields out."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from cordillera.targets.local._sqs import batches, messages, queues
from cordillera.targets.local._sqs.errors import SqsError, invalid, missing
from cordillera.targets.local._sqs.queues import ACCOUNT, Queue, arn
from cordillera.targets.local._sqs.store import Store

Asked = Mapping[str, Any]
Answer = dict[str, Any]
QUEUE_NAME = re.compile(r"^[A-Za-z0-9_-]{1,75}(\.fifo)?$")


def queue_of(store: Store, asked: Asked) -> Queue:
    """The queue that a request's QueueUrl names. Raises SqsError."""
    url = asked.get("QueueUrl")
    if not url:
        raise missing("QueueUrl")
    return store.queue(str(url).rstrip("/").rpartition("/")[2])


def create_queue(store: Store, asked: Asked, base: str) -> Answer:
    name = str(asked.get("QueueName") or "")
    if not QUEUE_NAME.match(name):
        raise invalid(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    attributes = queues.checked(name, asked.get("Attributes") or {})
    store.put_queue(name, attributes, replace=False)
    found = store.queue(name)
    if any(found.attributes.get(key) != value for key, value in attributes.items()):
        raise SqsError(
            "QueueNameExists",
            "A queue already exists with the same name and a different value for an attribute.",
            query_code="QueueAlreadyExists",
        )
    return {"QueueUrl": url_of(base, name)}


def get_queue_url(store: Store, asked: Asked, base: str) -> Answer:
    return {"QueueUrl": url_of(base, store.queue(str(asked.get("QueueName") or "")).name)}


def list_queues(store: Store, asked: Asked, base: str) -> Answer:
    found = store.queues(str(asked.get("QueueNamePrefix") or ""))
    return {"QueueUrls": [url_of(base, queue.name) for queue in found]}


def get_queue_attributes(store: Store, asked: Asked, _base: str) -> Answer:
    queue, wanted = queue_of(store, asked), asked.get("AttributeNames") or []
    known = attributes_of(store, queue)
    unknown = [name for name in wanted if name != "All" and name not in known and name not in _ALL]
    if unknown:
        raise SqsError("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")
    return {"Attributes": {k: v for k, v in known.items() if "All" in wanted or k in wanted}}


def set_queue_attributes(store: Store, asked: Asked, _base: str) -> Answer:
    queue = queue_of(store, asked)
    changed = queues.checked(queue.name, asked.get("Attributes") or {})
    store.put_queue(queue.name, {**queue.attributes, **changed}, replace=True)
    return {}


def purge_queue(store: Store, asked: Asked, _base: str) -> Answer:
    store.purge(queue_of(store, asked))
    return {}


def delete_queue(store: Store, asked: Asked, _base: str) -> Answer:
    store.drop_queue(queue_of(store, asked))
    return {}


def send_message(store: Store, asked: Asked, _base: str) -> Answer:
    queue = queue_of(store, asked)
    message = messages.new(queue, asked)
    [(name, number)] = store.send(queue, [message])
    return batches.sent(queue, message, name, number)


def send_message_batch(store: Store, asked: Asked, _base: str) -> Answer:
    queue = queue_of(store, asked)
    return batches.send(store, queue, batches.entries(asked, "SendMessageBatchRequestEntry"))


def delete_message(store: Store, asked: Asked, _base: str) -> Answer:
    store.delete(queue_of(store, asked), _receipt(asked))
    return {}


def delete_message_batch(store: Store, asked: Asked, _base: str) -> Answer:
    queue = queue_of(store, asked)
    return batches.each(asked, lambda entry: store.delete(queue, _receipt(entry)))


def change_message_visibility(store: Store, asked: Asked, _base: str) -> Answer:
    _hide(store, queue_of(store, asked), asked)
    return {}


def change_message_visibility_batch(store: Store, asked: Asked, _base: str) -> Answer:
    queue = queue_of(store, asked)
    return batches.each(asked, lambda entry: _hide(store, queue, entry))


def start_message_move_task(store: Store, asked: Asked, _base: str) -> Answer:
    """Done before the answer: rows change queue in one statement."""
    source = str(asked.get("SourceArn") or "").rpartition(":")[2]
    target = str(asked.get("DestinationArn") or "").rpartition(":")[2]
    queue = store.queue(source)
    if not any(q.dead_letters == source for q in store.queues()):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    store.redrive(queue, store.queue(target) if target else None)
    return {"TaskHandle": f"done-{queue.id}"}


def list_dead_letter_source_queues(store: Store, asked: Asked, base: str) -> Answer:
    queue = queue_of(store, asked)
    found = [q for q in store.queues() if q.dead_letters == queue.name]
    return {"queueUrls": [url_of(base, q.name) for q in found]}


def receive(store: Store, queue: Queue, asked: Asked) -> list[Answer]:
    """One look at the queue; the front repeats it while it polls."""
    limit = _number(asked, "MaxNumberOfMessages", 1, 10, 1)
    seconds = asked.get("VisibilityTimeout")
    hidden = (
        queue.number("VisibilityTimeout")
        if seconds is None
        else queues.within("VisibilityTimeout", seconds)
    )
    return [batches.received(row, asked) for row in store.receive(queue, limit, hidden * 1000)]


def give_back(store: Store, queue: Queue, found: list[Answer]) -> None:
    """Let others see at once what a receiver did not live to take."""
    for message in found:
        with suppress(SqsError):
            store.hide(queue, message["ReceiptHandle"], 0)


def wait_s(queue: Queue, asked: Asked) -> float:
    """How long a receive may wait for a message."""
    default = queue.number("ReceiveMessageWaitTimeSeconds")
    return _number(asked, "WaitTimeSeconds", 0, 20, default)


def url_of(base: str, name: str) -> str:
    """A queue's URL at the address by which the request came."""
    return f"{base}/{ACCOUNT}/{name}"


def attributes_of(store: Store, queue: Queue) -> dict[str, str]:
    """Every attribute of a queue, counted now."""
    counts = store.counts(queue)
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": str(queue.by_content).lower()}
    return {
        **{name: str(queue.number(name)) for name in queues.LIMITS},
        **queue.attributes,
        **(fifo if queue.fifo else {}),
        "QueueArn": arn(queue.name),
        "CreatedTimestamp": str(queue.created_ms // 1000),
        "LastModifiedTimestamp": str(queue.changed_ms // 1000),
        "ApproximateNumberOfMessages": str(counts["waiting"]),
        "ApproximateNumberOfMessagesNotVisible": str(counts["in_flight"]),
        "ApproximateNumberOfMessagesDelayed": str(counts["delayed"]),
    }


def _receipt(asked: Asked) -> str:
    if not asked.get("ReceiptHandle"):
        raise missing("ReceiptHandle")
    return str(asked["ReceiptHandle"])


def _hide(store: Store, queue: Queue, asked: Asked) -> None:
    if asked.get("VisibilityTimeout") is None:
        raise missing("VisibilityTimeout")
    seconds = queues.within("VisibilityTimeout", asked["VisibilityTimeout"])
    store.hide(queue, _receipt(asked), seconds * 1000)


def _number(asked: Asked, name: str, least: int, most: int, default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if not str(value).isdigit() or not least <= int(value) <= most:
        raise invalid(
            f"Value {value} for parameter {name} is invalid. "
            f"Reason: Must be between {least} and {most}, if provided."
        )
    return int(value)


_ALL = (*queues.TAKEN_AS_GIVEN, *queues.TRUTHS)
VERBS: Mapping[str, Callable[[Store, Asked, str], Answer]] = {
    "CreateQueue": create_queue,
    "GetQueueUrl": get_queue_url,
    "ListQueues": list_queues,
    "GetQueueAttributes": get_queue_attributes,
    "SetQueueAttributes": set_queue_attributes,
    "PurgeQueue": purge_queue,
    "DeleteQueue": delete_queue,
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "ChangeMessageVisibility": change_message_visibility,
    "ChangeMessageVisibilityBatch": change_message_visibility_batch,
    "StartMessageMoveTask": start_message_move_task,
    "ListDeadLetterSourceQueues": list_dead_letter_source_queues,
}
"""Every verb but ReceiveMessage, which may wait."""
