"""The worker: takes jobs from the queue, does them, and deletes them when they are done."""

import ctypes
import gc
import logging
import signal
import time

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from opensearchpy.exceptions import OpenSearchException

from news import find, jobs
from newsroom import contract

log = logging.getLogger("news.worker")
LONG_POLL_S = 20
VISIBLE_AGAIN_S = 120
LOOK_AT_INDEX_EVERY_S = 60.0
LONGEST_PAUSE_S = 15.0
SEARCH_AGAIN_S = 10


class Stop(BaseException):
    """We were asked to stop while we waited for work."""


class Command(BaseCommand):
    help = "Do background jobs until asked to stop. A job in hand is finished first."
    stopping = waiting = busy = False

    def handle(self, *_, **__):
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        log.info("ready")
        looked, pause_s = 0.0, 1.0
        try:
            while not self.stopping:
                if time.monotonic() - looked > LOOK_AT_INDEX_EVERY_S or not looked:
                    looked = time.monotonic()
                    self._look_at_index()
                try:
                    messages = self._receive()
                    pause_s = 1.0
                except (BotoCoreError, ClientError) as e:
                    log.warning("the queue did not answer: %s", e)
                    self._wait(pause_s)
                    pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                    continue
                for message in messages:
                    if self.stopping:
                        self._give_back(message, 0)
                    else:
                        self._do(message)
                        self.busy = True
                if self.busy and not messages:
                    self._rest()
        except Stop:
            pass
        log.info("stopped")

    def _receive(self) -> list[dict]:
        self.waiting = True
        try:
            answer = jobs.queue().receive_message(
                QueueUrl=contract.QUEUE_URL, MaxNumberOfMessages=5, WaitTimeSeconds=LONG_POLL_S,
                VisibilityTimeout=VISIBLE_AGAIN_S, AttributeNames=["ApproximateReceiveCount"],
            )
        finally:
            self.waiting = False
        return answer.get("Messages", [])

    def _do(self, message: dict) -> None:
        close_old_connections()
        started = time.monotonic()
        try:
            jobs.run(message["Body"])
        except OpenSearchException as e:
            log.warning("search did not answer, the job waits for it: %s", e)
            self._postpone(message)
            return
        except Exception:
            log.exception("job failed, to be tried again: %s", message["Body"])
            tries = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
            self._give_back(message, min(600, 2**tries))
            return
        seconds = round(time.monotonic() - started, 3)
        log.info("done %s", message["Body"], extra={"fields": {"seconds": seconds}})
        self._tell("delete_message", message)

    def _postpone(self, message: dict) -> None:
        """Send it anew and forget this one, so that a long wait does not count as failures."""
        try:
            jobs.later(message["Body"], SEARCH_AGAIN_S)
        except (BotoCoreError, ClientError):
            self._give_back(message, SEARCH_AGAIN_S)
        else:
            self._tell("delete_message", message)

    def _give_back(self, message: dict, after_s: int) -> None:
        self._tell("change_message_visibility", message, VisibilityTimeout=after_s)

    def _tell(self, verb: str, message: dict, **more) -> None:
        try:
            getattr(jobs.queue(), verb)(
                QueueUrl=contract.QUEUE_URL, ReceiptHandle=message["ReceiptHandle"], **more
            )
        except (BotoCoreError, ClientError) as e:
            log.warning("%s failed, the job will come again: %s", verb, e)

    def _look_at_index(self) -> None:
        close_old_connections()
        try:
            find.ensure_index()
        except OpenSearchException as e:
            log.warning("search did not answer: %s", e)
        except Exception:  # jobs do not wait for the index
            log.exception("the search index could not be looked at")

    def _rest(self) -> None:
        """Give memory back that large images took: the C library keeps it otherwise."""
        self.busy = False
        gc.collect()
        getattr(ctypes.CDLL(None), "malloc_trim", int)(0)

    def _wait(self, seconds: float) -> None:
        self.waiting = True
        time.sleep(seconds)
        self.waiting = False

    def _stop(self, *_) -> None:
        self.stopping = True
        if self.waiting:
            raise Stop
