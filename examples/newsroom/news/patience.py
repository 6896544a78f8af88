"""What the site does while a server behind it is being replaced: it waits a little, then carries on."""

import logging
import time

from django.core.cache.backends.redis import RedisCache
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

log = logging.getLogger(__name__)
LONGEST_WAIT_S = 12.0
PAUSE_S = 0.25
SAFE = {"GET", "HEAD", "OPTIONS"}


class Patience:
    """Repeats a request that only reads while the database changes its writer (a few seconds).

    One that writes is never repeated: it waits, before it begins, until the database answers.
    The innermost middleware, so that only the view is repeated.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        until = time.monotonic() + LONGEST_WAIT_S
        if request.method not in SAFE:
            self.wait_for_the_database(until)
        while True:
            request.database_lost = False
            response = self.get_response(request)
            if not request.database_lost or time.monotonic() > until:
                return response
            time.sleep(PAUSE_S)

    def wait_for_the_database(self, until: float):
        """Return when it answers, or when the time is up: then the view tells what is wrong."""
        while time.monotonic() < until:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(PAUSE_S)

    def process_exception(self, request, exception):
        if not isinstance(exception, (OperationalError, InterfaceError)) or request.method not in SAFE:
            return None
        log.warning("the database did not answer: %s", exception)
        connection.close()
        request.database_lost = True
        return HttpResponse("The newsroom is moving house. Please try again.", status=503)


class PatientCache(RedisCache):
    """For sessions: a cache that fails over is waited for, so that nobody is signed out by it."""

    def __init__(self, server, params):
        options = params.setdefault("OPTIONS", {})
        options["retry"] = Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=12)
        options["retry_on_error"] = [RedisConnectionError, RedisTimeoutError, ReadOnlyError]
        super().__init__(server, params)


class ForgivingCache(RedisCache):
    """For everything else: a cache that is away is an empty cache."""

    def get(self, key, default=None, version=None):
        return _or(default, super().get, key, default, version)

    def set(self, key, value, timeout=300, version=None):
        return _or(None, super().set, key, value, timeout, version)

    def add(self, key, value, timeout=300, version=None):
        return _or(False, super().add, key, value, timeout, version)

    def get_many(self, keys, version=None):
        return _or({}, super().get_many, keys, version)

    def set_many(self, data, timeout=300, version=None):
        return _or([], super().set_many, data, timeout, version)

    def delete(self, key, version=None):
        return _or(False, super().delete, key, version)

    def delete_many(self, keys, version=None):
        return _or(None, super().delete_many, keys, version)


def _or(otherwise, call, *args):
    try:
        return call(*args)
    except RedisError as e:
        log.warning("the cache did not answer: %s", e)
        return otherwise
