"""Which log events were read already: late ones come between them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Seen:
    """Events that were read, by their ids, as far back as late ones are waited for."""

    since: datetime
    """Of events before that nothing is known."""

    _at: dict[str, int] = field(default_factory=dict)

    def first(self, event: Mapping[str, Any]) -> bool:
        """Whether it is read for the first time; it is not any more then."""
        id = str(event["eventId"])
        if id in self._at:
            return False
        if event_at(event) >= milliseconds(self.since):
            self._at[id] = event_at(event)
        return True

    def forget(self, before: datetime) -> None:
        """Know nothing of what is older."""
        self.since = max(self.since, before)
        begin = milliseconds(self.since)
        self._at = {id: at for id, at in self._at.items() if at >= begin}

    def noting(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The same events, each of them read now."""
        for one in events:
            self.first(one)
            yield one


def event_at(event: Mapping[str, Any]) -> int:
    """Milliseconds since 1970."""
    return int(event["timestamp"])


def milliseconds(moment: datetime) -> int:
    """The same of a time."""
    return round(moment.timestamp() * 1000)
