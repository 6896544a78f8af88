"""What services printed, out of CloudWatch Logs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cordillera.targets.aws import _tasks
from cordillera.targets.aws._live import Live

FOLLOW_EVERY_S = 2.0
BACK_S = 3600


def of_task(name: str, task: str, live: Live, lines: int) -> list[str]:
    """The last lines of one copy."""
    found = live.client("logs").pages(
        "filter_log_events",
        "events",
        logGroupName=live.physical(_tasks.log(name)),
        logStreamNames=[f"{name}/{name}/{task}"],
    )
    return [str(event["message"]) for event in found][-lines:]


def last(name: str, live: Live, lines: int) -> list[tuple[int, str]]:
    """(time in milliseconds, line) of the last hour's last lines of a service."""
    begin = round((time.time() - BACK_S) * 1000)
    return [(int(e["timestamp"]), _line(name, e)) for e in _since(name, live, begin)][-lines:]


def follow(names: list[str], live: Live) -> Iterator[str]:
    """New lines for ever."""
    begin, told = round(time.time() * 1000), set[str]()
    while True:
        for name in names:
            for event in _since(name, live, begin):
                if str(event["eventId"]) not in told:
                    told.add(str(event["eventId"]))
                    yield _line(name, event)
        begin = max(begin, round((time.time() - 60) * 1000))
        time.sleep(FOLLOW_EVERY_S)


def _since(name: str, live: Live, begin: int) -> Iterator[Any]:
    yield from live.client("logs").pages(
        "filter_log_events",
        "events",
        logGroupName=live.physical(_tasks.log(name)),
        startTime=begin,
    )


def _line(name: str, event: Any) -> str:
    at = datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC).strftime("%H:%M:%S")
    copy = str(event.get("logStreamName", "")).rsplit("/", 1)[-1][:6]
    return f"{name}-{copy} | {at} {event['message']}"
