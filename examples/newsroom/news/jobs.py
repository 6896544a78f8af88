"""Background jobs: Django tasks whose messages travel through the queue (SQS's protocol).

Wagtail's own tasks (search index, references, deleted files) go the same way as ours. A message may
arrive twice, so every task must bear being run twice.
"""

import json
import logging
import threading
from contextlib import contextmanager
from functools import cache, partial

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import TaskResult, TaskResultStatus
from django_tasks.utils import get_random_id
from newsroom import contract

log = logging.getLogger(__name__)
BATCH = 10  # what SQS takes at once
_held = threading.local()


@cache
def queue():
    """The client; safe to share between threads."""
    config = Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client("sqs", region_name=contract.REGION, config=config)


class QueueBackend(BaseTaskBackend):
    """Puts a task into the queue once the transaction that asked for it is committed."""

    def enqueue(self, task, args, kwargs):
        self.validate_task(task)
        result = TaskResult(
            task=task, id=get_random_id(), status=TaskResultStatus.READY, enqueued_at=timezone.now(),
            started_at=None, last_attempted_at=None, finished_at=None, args=args, kwargs=kwargs,
            backend=self.alias, errors=[], worker_ids=[],
        )
        name = f"{task.func.__module__}.{task.func.__qualname__}"
        body = json.dumps({"task": name, "args": result.args, "kwargs": result.kwargs})
        transaction.on_commit(partial(_hand_over, body))
        return result


@contextmanager
def together():
    """Collect the messages of a piece of work and send them at its end, each only once."""
    if getattr(_held, "bodies", None) is not None:
        yield
        return
    _held.bodies = {}
    try:
        yield
    finally:
        bodies, _held.bodies = list(_held.bodies), None
        for start in range(0, len(bodies), BATCH):
            _send(bodies[start : start + BATCH])


class SendTogether:
    """Middleware: the messages of one request leave together."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with together():
            return self.get_response(request)


def run(body: str) -> None:
    """Do what a message asks. What it was about may have been deleted meanwhile: then it is done."""
    job, outer, _held.doing = json.loads(body), doing(), True
    try:
        import_string(job["task"]).call(*job["args"], **job["kwargs"])
    except ObjectDoesNotExist:
        log.info("nothing left to do for %s %s", job["task"], job["args"])
    finally:
        _held.doing = outer


def doing() -> bool:
    """Whether this thread is at a job: what fails there is tried again."""
    return getattr(_held, "doing", False)


def later(body: str, after_s: int) -> None:
    """A job that could not be done yet, sent anew: it may wait for as long as it takes.

    Raises BotoCoreError or ClientError.
    """
    queue().send_message(QueueUrl=contract.QUEUE_URL, MessageBody=body, DelaySeconds=after_s)


def _hand_over(body: str) -> None:
    if getattr(_held, "bodies", None) is not None:
        _held.bodies[body] = True
    else:
        _send([body])


def _send(bodies: list[str]) -> None:
    """Send; what the queue does not take is done here and now, so that nothing is lost."""
    entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies)]
    try:
        answer = queue().send_message_batch(QueueUrl=contract.QUEUE_URL, Entries=entries)
        refused = [bodies[int(failed["Id"])] for failed in answer.get("Failed", [])]
    except (BotoCoreError, ClientError) as e:
        log.warning("the queue did not answer, doing %d jobs at once: %s", len(bodies), e)
        refused = bodies
    for body in refused:
        try:
            run(body)
        except Exception:
            log.exception("job failed: %s", body)
