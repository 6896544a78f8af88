"""What services printed, out of CloudWatch Logs."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cordillera.targets.aws import _tasks
from cordillera.targets.aws._live import Live

FOLLOW_EVERY_S = 2.0
LOOK_BACK = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""So far at first, then farther: a service that prints much is not read from its beginning."""
EVER = datetime.fromtimestamp(0, UTC)
LATE = timedelta(minutes=1)
"""So long a line may take from a copy to CloudWatch."""


def of_task(name: str, task: str, live: Live, lines: int) -> list[str]:
    """The last lines of one copy."""
    found = live.client("logs").pages(
        "filter_log_events",
        "events",
        logGroupName=live.physical(_tasks.log(name)),
        logStreamNames=[f"{name}/{name}/{task}"],
    )
    return [str(event["message"]) for event in found][-lines:]


def printed(
    name: str, live: Live, *, since: datetime | None, tail: int | None, until: datetime | None
) -> Iterator[tuple[int, str]]:
    """(time in milliseconds, line) of what a service printed since then and before `until`: of each copy the
    last `tail` lines. Without a time as far back as it takes to find so many lines, if there are any."""
    if tail is None:
        yield from _lines(name, _events(name, live, since or EVER, until))
        return
    now = datetime.now(UTC)
    for begin in [since] if since else [*(now - span for span in LOOK_BACK), EVER]:
        found = _last(_events(name, live, begin, until), tail)
        if len(found) >= tail:
            break
    yield from _lines(name, found)


def follow(names: list[str], live: Live, begin: datetime) -> Iterator[str]:
    """New lines for ever, from then on; late ones are waited for."""
    told = set[str]()
    while True:
        for name in names:
            for event in _events(name, live, begin):
                if str(event["eventId"]) not in told:
                    told.add(str(event["eventId"]))
                    yield _line(name, event)
        begin = max(begin, datetime.now(UTC) - LATE)
        time.sleep(FOLLOW_EVERY_S)


def _events(
    name: str, live: Live, begin: datetime, end: datetime | None = None
) -> Iterator[Mapping[str, Any]]:
    """In the order of their times. `end` is not among them."""
    until = {"endTime": _milliseconds(end) - 1} if end else {}
    yield from live.client("logs").pages(
        "filter_log_events",
        "events",
        logGroupName=live.physical(_tasks.log(name)),
        startTime=max(0, _milliseconds(begin)),
        **until,
    )


def _last(events: Iterable[Mapping[str, Any]], tail: int) -> list[Mapping[str, Any]]:
    """The last of each copy, in the order of their times. Pure."""
    copies = dict[str, deque[Mapping[str, Any]]]()
    for one in events:
        copies.setdefault(str(one.get("logStreamName")), deque(maxlen=tail)).append(one)
    return sorted((one for copy in copies.values() for one in copy), key=_at)


def _lines(name: str, events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    return ((_at(one), _line(name, one)) for one in events)


def _at(event: Mapping[str, Any]) -> int:
    return int(event["timestamp"])


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _line(name: str, event: Mapping[str, Any]) -> str:
    """With the time as `--since` takes it."""
    at = datetime.fromtimestamp(_at(event) / 1000, UTC)
    copy = str(event.get("logStreamName", "")).rsplit("/", 1)[-1][:6]
    return f"{name}-{copy} | {at:%Y-%m-%dT%H:%M:%SZ} {event['message']}"
