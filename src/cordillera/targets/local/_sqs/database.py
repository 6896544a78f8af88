"""Connections to the writer: a few kept open, each used by one request at a time."""

import contextlib
import queue
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pymysql
from pymysql.cursors import DictCursor

T = TypeVar("T")
TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 2
KEPT_OPEN = 16
GONE = (2006, 2013, 2003, 2055, 1290, 1792, 1053, 1927)
"""Errors that say: this server is away, or no longer the writer."""


class Database:
    """The schema `name` at `host:port`."""

    def __init__(self, *, host: str, port: int, user: str, password: str, name: str) -> None:
        self._where: dict[str, Any] = {"host": host, "port": port, "user": user}
        self._where |= {"password": password, "database": name}
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue(KEPT_OPEN)

    def run(self, work: Callable[[DictCursor], T]) -> T:
        """Do `work` in one transaction. Raises pymysql.Error.

        A connection that was lost while it lay idle is replaced once: nothing was done with it yet.
        """
        connection, fresh = self._take()
        try:
            return self._once(connection, work)
        except pymysql.Error as e:
            connection.close()
            if fresh or e.args[:1] not in [(code,) for code in GONE] or connection.began:
                raise
        return self._once(self._connect(), work)

    def _once(self, connection: Any, work: Callable[[DictCursor], T]) -> T:
        connection.began = False
        connection.begin()
        connection.began = True
        try:
            with connection.cursor() as cursor:
                result = work(cursor)
            connection.commit()
        except BaseException:
            with contextlib.suppress(pymysql.Error, OSError):
                connection.rollback()
            raise
        self._give_back(connection)
        return result

    def _take(self) -> tuple[Any, bool]:
        try:
            return self._idle.get_nowait(), False
        except queue.Empty:
            return self._connect(), True

    def _give_back(self, connection: Any) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _connect(self) -> Any:
        return pymysql.connect(
            **self._where,
            cursorclass=DictCursor,
            autocommit=False,
            charset="utf8mb4",
            ssl_disabled=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            write_timeout=TIMEOUT_S,
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )

    def close(self) -> None:
        """Close what lies idle."""
        for connection in self._drained():
            connection.close()

    def _drained(self) -> Iterator[Any]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._idle.get_nowait()
