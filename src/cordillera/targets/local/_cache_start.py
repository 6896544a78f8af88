"""Before each start of a Redis server or Sentinel: its options, with what it had learned kept.

Redis and Sentinel rewrite their own file while they run (whom to follow, who votes), with passwords in
clear: so it lies in the run folder, which is memory. With the data lies only whom a server follows; the
keeper notes it there too, before it lets a master go on alone.
Run as `python -m cordillera.targets.local._cache_start PLAN.json`.
"""

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cordillera.core import files
from cordillera.targets.local._redis import Denied, Redis

ASK_TIMEOUT_S = 0.5
ASK_AGAIN_FOR_S = 1.5
MASTER = "master\n"


def main(words: Sequence[str]) -> None:
    plan = json.loads(Path(words[0]).read_text())
    target, base = Path(plan["target"]), Path(plan["base"]).read_text()
    old = next(filter(None, map(_lines, (target, *_kept(plan)))), [])
    if plan["kind"] == "sentinel":
        text = with_learned(base, old)
    else:
        votes = _votes(plan["sentinels"], plan["name"], plan["password"], patient=bool(old))
        follows = _following(choose(votes, old, me=plan["self"], servers=plan["servers"]), plan)
        text = base + follows
        note(Path(plan["note"]), follows)
    files.write(target, text, mode=0o600)
    Path(plan["former"]).unlink(missing_ok=True)  # of an older version, with passwords


def note(path: Path, following: str) -> bool:
    """Keep durably whom a server follows: a `replicaof` line, or nothing for a master. True if new."""
    return files.write(path, following or MASTER, mode=0o644)


def _kept(plan: Mapping[str, Any]) -> list[Path]:
    """What survives a reboot, the newest first; none for a Sentinel, which is told anew by `up`."""
    return [Path(plan[name]) for name in ("note", "former") if name in plan]


def with_learned(base: str, old: Sequence[str]) -> str:
    """Today's options, then what the Sentinel had noted itself."""
    given = {tuple(line.split()[:2]) for line in base.splitlines()}
    learned = [
        line
        for line in old
        if line.startswith("sentinel ") and tuple(line.split()[:2]) not in given
    ]
    return base + "".join(f"{line}\n" for line in learned)


def choose(votes: Sequence[str], old: Sequence[str], *, me: str, servers: Sequence[str]) -> str:
    """Whom to follow, or `me`: what most Sentinels say, else as before, else the first server.

    Two servers that both remember having been the master do no harm: neither takes writes without
    a replica, and the Sentinels turn the older one into a replica as soon as they meet it.
    """
    counted = Counter(vote for vote in votes if vote in servers).most_common(1)
    if counted and counted[0][1] * 2 > len(votes):
        return counted[0][0]
    if old:
        return next((_address(line) for line in old if line.startswith("replicaof ")), me)
    return servers[0]


def _votes(sentinels: Sequence[str], name: str, password: str, *, patient: bool) -> list[str]:
    """Each Sentinel's answer, empty for none. When `patient`, they are given time to start."""
    deadline = time.monotonic() + (ASK_AGAIN_FOR_S if patient else 0.0)
    while True:
        votes = [_vote(address, name, password) for address in sentinels]
        if 2 * sum(map(bool, votes)) > len(votes) or time.monotonic() >= deadline:
            return votes
        time.sleep(0.1)


def _vote(address: str, name: str, password: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        made = socket.create_connection((host, int(port)), timeout=ASK_TIMEOUT_S)
        with Redis(made, password=password) as sentinel:
            return sentinel.master(name)
    except (OSError, Denied):
        return ""


def _following(leader: str, plan: Mapping[str, Any]) -> str:
    host, _, port = leader.rpartition(":")
    return "" if leader == plan["self"] else following(host, port)


def following(host: str, port: str) -> str:
    """The option of a replica. Pure."""
    return f"replicaof {host} {port}\n"


def _address(line: str) -> str:
    _, host, port = line.split()
    return f"{host}:{port}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main(sys.argv[1:])
