"""What the Redis servers and Sentinels of the target `local` are told."""

import json
import sys
from collections.abc import Mapping, Sequence

from cordillera.components.cache import CacheSpec
from cordillera.targets.local import _hashes as hashes
from cordillera.targets.local._site import Site

FIRST_PORT, PORT_STEP = 6380, 10
SENTINEL_PORT = 26380
SENTINEL_DATA = SENTINEL_FOLDER = "sentinel"
LIVE = "live.conf"
"""Beside its sockets, where it may write: what a server was told, as it rewrites it. Holds passwords."""
NOTE = "follows"
"""With the data: whom the server follows, without any password."""
ADMIN = "cordillera"
DOWN_AFTER_MS = 3000
FAILOVER_TIMEOUT_MS = 20_000
QUORUM = 2
MAX_LAG_S = 2
"""Replicas answer every second, late on a busy machine: with 1 writes would be refused now and then."""

SERVER_TEXT = """\
bind {private}
port %(port)d
unixsocket {sockets}/cache-%(name)s.sock
unixsocketperm 777
protected-mode yes
dir {data}
pidfile ""
databases 16
maxmemory %(memory)d
maxmemory-policy %(policy)s
save ""
appendonly yes
appendfsync %(sync)s
aof-use-rdb-preamble yes
user default on #%(app_hash)s ~* &* +@all -@admin
user cordillera on #%(admin_hash)s ~* &* +@all
masteruser cordillera
masterauth ${secret:cache-admin/%(name)s}
min-replicas-to-write 1
min-replicas-max-lag %(max_lag)d
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-backlog-size 4mb
repl-timeout 20
replica-announce-ip {private}
disable-thp yes
"""

SENTINEL_TEXT = """\
bind {private}
port %(port)d
unixsocket {sockets}/sentinel.sock
unixsocketperm 777
protected-mode yes
dir {data}
pidfile ""
requirepass ${secret:cache/sentinel}
sentinel sentinel-pass ${secret:cache/sentinel}
sentinel announce-ip {private}
sentinel resolve-hostnames no
sentinel deny-scripts-reconfig yes
"""


def server(site: Site, name: str, port: int, spec: CacheSpec) -> str:
    """A Redis server's options, without whom it follows. Its users' passwords are hashes."""
    return SERVER_TEXT % {
        "name": name,
        "port": port,
        "memory": spec.memory,
        "policy": "allkeys-lru" if spec.evict else "noeviction",
        "sync": "always" if spec.durable else "everysec",
        "max_lag": MAX_LAG_S,
        "app_hash": hashes.sha256(site.vault.get(f"cache/{name}")),
        "admin_hash": hashes.sha256(site.vault.get(f"cache-admin/{name}")),
    }


def server_data(name: str) -> str:
    """Where a server's data lies in the zone's state folder."""
    return f"cache-{name}"


def live(folder: str) -> str:
    """The options that a server runs with, and rewrites. `folder` is that of what it is told."""
    return f"{{sockets}}/{folder}.{LIVE}"


def server_folder(name: str) -> str:
    """Where a server's options lie in the run folder."""
    return f"redis-{name}"


def sentinel() -> str:
    """A Sentinel's options, without what it learns while it runs."""
    return SENTINEL_TEXT % {"port": SENTINEL_PORT}


def server_plan(site: Site, name: str, port: int) -> str:
    """What `_cache_start` reads before each start of a server."""
    return _text(
        {
            "kind": "server",
            "base": f"{{run}}/{server_folder(name)}/base.conf",
            "target": live(server_folder(name)),
            "note": f"{{data}}/{NOTE}",
            "former": "{data}/redis.conf",
            "name": name,
            "self": f"{{private}}:{port}",
            "servers": [f"{zone.private}:{port}" for zone in site.zones],
            "sentinels": [f"{zone.private}:{SENTINEL_PORT}" for zone in site.domains],
            "password": "${secret:cache/sentinel}",
        }
    )


def sentinel_plan() -> str:
    """What `_cache_start` reads before each start of a Sentinel."""
    return _text(
        {
            "kind": "sentinel",
            "base": f"{{run}}/{SENTINEL_FOLDER}/base.conf",
            "target": live(SENTINEL_FOLDER),
            "former": "{data}/sentinel.conf",
        }
    )


def prepare(plan: str) -> Sequence[str]:
    """The command that must precede each start."""
    return (sys.executable, "-m", "cordillera.targets.local._cache_start", "{run}/" + plan)


def check(name: str) -> tuple[str, ...]:
    """HAProxy lines of a backend that takes the master only.

    The good-bye in the same packet lets a replica end the check at once.
    """
    questions = (f"AUTH\\ ${{secret:cache/{name}}}", "INFO\\ replication", "QUIT")
    return (
        "option tcp-check",
        "timeout check 3s",
        "tcp-check connect",
        f"tcp-check send {''.join(question + chr(92) + 'r' + chr(92) + 'n' for question in questions)}",
        "tcp-check expect string role:master",
        "default-server inter 1s fastinter 200ms downinter 1s fall 2 rise 1 "
        "on-marked-down shutdown-sessions",
    )


def _text(plan: Mapping[str, object]) -> str:
    return json.dumps(plan, indent=1) + "\n"
