"""What services printed, out of CloudWatch Logs."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cordillera.core.errors import NotReady
from cordillera.targets.aws import _running, _tasks
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._seen import Seen, event_at, milliseconds

FOLLOW_EVERY_S = 2.0
LOOK_BACK = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""So far at first, then farther: a service that prints much is not read from its beginning."""
EVER = datetime.fromtimestamp(0, UTC)
LATE = timedelta(minutes=1)
"""So long a line may take from a copy to CloudWatch."""
MISSING = "ResourceNotFoundException"


def of_task(name: str, task: str, live: Live, lines: int) -> list[str]:
    """The last lines of one copy; none of one that has printed nothing."""
    found = live.client("logs").pages(
        "filter_log_events",
        "events",
        logGroupName=live.physical(_tasks.log(name)),
        logStreamNames=[_stream(name, task)],
    )
    return [str(event["message"]) for event in _printed(found)][-lines:]


@dataclass(frozen=True)
class Log:
    """What the copies of one service print, in the cluster that they run in."""

    name: str
    cluster: Ref
    live: Live

    def printed(
        self, seen: Seen, *, since: datetime | None, tail: int | None, until: datetime | None
    ) -> Iterator[tuple[int, str]]:
        """(time in milliseconds, line) since then and before `until`: of each copy the last `tail` lines.
        Without a time as far back as it takes for each copy that runs to have so many, if it has."""
        if tail is None:
            found = seen.noting(self._events(since or EVER, until))
        else:
            now = datetime.now(UTC)
            begins = [since] if since else [*(now - span for span in LOOK_BACK), EVER]
            found = iter(self._last(seen, begins, tail, until))
        yield from ((event_at(one), _line(self.name, one)) for one in found)

    def new(self, seen: Seen) -> Iterator[str]:
        """Lines that were not read before."""
        for event in self._events(seen.since):
            if seen.first(event):
                yield _line(self.name, event)

    def _last(
        self, seen: Seen, begins: Iterable[datetime], tail: int, until: datetime | None
    ) -> list[Mapping[str, Any]]:
        """Of all copies together until there are lines; farther back of each that runs and has fewer."""
        copies: dict[str, Sequence[Mapping[str, Any]]] = {}
        farther = iter(begins)
        for begin in farther:
            copies = _by_copy(seen.noting(self._events(begin, until)), tail)
            if sum(map(len, copies.values())) >= tail:
                break
        rest = list(farther)
        for stream in self._running() if rest and tail else ():
            for begin in rest:
                if len(copies.get(stream, ())) >= tail:
                    break
                events = self._of_one(stream, begin, until)
                copies |= _by_copy(seen.noting(events), tail)
        return sorted((one for copy in copies.values() for one in copy), key=event_at)

    def _running(self) -> list[str]:
        """The streams of the copies that run; none while there is nothing that they could be started from."""
        try:
            family = _running.family(self.live.physical(_tasks.definition(self.name)))
            cluster = self.live.physical(self.cluster)
        except NotReady:
            return []
        arns = _running.arns(cluster, self.live, family=family)
        return [_stream(self.name, arn.rsplit("/", 1)[-1]) for arn in arns]

    def _of_one(
        self, stream: str, begin: datetime, until: datetime | None
    ) -> Iterator[Mapping[str, Any]]:
        yield from _printed(self._events(begin, until, logStreamNames=[stream]))

    def _events(
        self, begin: datetime, end: datetime | None = None, **which: Any
    ) -> Iterator[Mapping[str, Any]]:
        """In the order of their times. `end` is not among them."""
        until = {"endTime": milliseconds(end) - 1} if end else {}
        yield from self.live.client("logs").pages(
            "filter_log_events",
            "events",
            logGroupName=self.live.physical(_tasks.log(self.name)),
            startTime=max(0, milliseconds(begin)),
            **until,
            **which,
        )


def follow(logs: Sequence[Log], seen: Seen) -> Iterator[str]:
    """New lines for ever; late ones are waited for."""
    while True:
        for log in logs:
            yield from log.new(seen)
        seen.forget(datetime.now(UTC) - LATE)
        time.sleep(FOLLOW_EVERY_S)


def _printed(events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The same events; none of a copy that has not printed yet: it has no stream."""
    try:
        yield from events
    except AwsError as e:
        if e.code != MISSING:
            raise


def _by_copy(
    events: Iterable[Mapping[str, Any]], tail: int
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Stream -> its last events. Pure."""
    copies = dict[str, deque[Mapping[str, Any]]]()
    for one in events:
        copies.setdefault(str(one.get("logStreamName")), deque(maxlen=tail)).append(one)
    return {**copies}


def _stream(name: str, task: str) -> str:
    return f"{name}/{name}/{task}"


def _line(name: str, event: Mapping[str, Any]) -> str:
    """With the time as `--since` takes it."""
    at = datetime.fromtimestamp(event_at(event) / 1000, UTC)
    copy = str(event.get("logStreamName", "")).rsplit("/", 1)[-1][:6]
    return f"{name}-{copy} | {at:%Y-%m-%dT%H:%M:%SZ} {event['message']}"
