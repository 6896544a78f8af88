"""Which loopback networks other users are at: their claims cannot be read, what they listen at can."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cordillera.targets.local._site import FIRST_UID

LISTENS = "0A"
TABLE = Path("/proc/net/tcp")


def others() -> set[int]:
    """Second bytes of the 127.N networks at which another user listens now."""
    return networks(TABLE.read_text().splitlines()[1:], os.getuid())


def networks(rows: Iterable[str], us: int) -> set[int]:
    """The same from rows of /proc/net/tcp, for the user `us`. Pure."""
    return {number for number, owner in _listening(rows) if not _ours(owner, us)}


def _ours(owner: int, us: int) -> bool:
    return owner == us or (us == 0 and owner >= FIRST_UID)


def _listening(rows: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Second byte and owner of each listening socket of loopback."""
    for row in rows:
        words = row.split()
        address = bytes.fromhex(words[1].partition(":")[0])[::-1]
        if words[3] == LISTENS and address[0] == 127:
            yield address[1], int(words[7])
