"""Time as an argument: tests wait thirty seconds in none."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cordillera.core.errors import NotReady


class Clock(Protocol):
    """Tells the time and passes it."""

    def now(self) -> datetime: ...
    def sleep(self, span: timedelta) -> None: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, span: timedelta) -> None:
        time.sleep(span.total_seconds())


def wait_until(
    ready: Callable[[], bool],
    what: str,
    *,
    within: timedelta,
    clock: Clock,
    every: timedelta = timedelta(seconds=0.1),
) -> None:
    """Poll `ready`. Raises NotReady when `within` has passed."""
    deadline = clock.now() + within
    while not ready():
        if clock.now() >= deadline:
            raise NotReady(f"{what} not ready after {within.total_seconds():.0f} s")
        clock.sleep(every)
