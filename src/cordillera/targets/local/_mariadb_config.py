"""What a MariaDB server of the target `local` is told: its options, its first statements, its checks."""

import json
import sys
from collections.abc import Mapping, Sequence

from cordillera.targets.local import _etcd
from cordillera.targets.local import _hashes as hashes
from cordillera.targets.local._site import Site, Zone

PORT, WRITER_PORT, READER_PORT = 3306, 3310, 3311
ROLE_PORT, COPY_PORT = 3308, 3309
"""Where the zone's keeper answers: the server's role to proxies, a copy of its data to other keepers."""
CHECK_PORT = 3307
"""Answers also when all of PORT's connections are taken, so that a crowd is not mistaken for a death."""

DATA = "database"
SOCKET, OPTIONS, START, INIT, CLIENT = (
    "mariadb.sock", "mariadb.cnf", "mariadb-start.json", "mariadb-init.sql", "mariadb-client.cnf",
)  # fmt: skip
REPLICATION_USER = "cordillera_replication"
SEMI_SYNC_TIMEOUT_MS = 2_000_000_000
"""For ever: only the keeper decides that commits need not wait, after a majority knows."""
VARIABLES = {"UMASK": "0600", "UMASK_DIR": "0700"}
"""What it writes is the server's alone: `master.info` holds the password that it replicates with."""
BINLOG_KEPT_S = 3 * 86_400
MOST_CONNECTIONS = 400

OPTIONS_TEXT = """\
[mariadbd]
datadir={data}/mysql
socket={sockets}/mariadb.sock
pid-file={sockets}/mariadb.pid
tmpdir={data}/tmp
init-file={run}/mariadb-init.sql
bind-address={private}
port=%(port)d
extra-port=%(check_port)d
extra-max-connections=8
server-id=%(server_id)d
skip-name-resolve
skip-symbolic-links
local-infile=0
secure-file-priv={data}/tmp
character-set-server=utf8mb4
collation-server=utf8mb4_general_ci
log-bin-trust-function-creators=1
max-allowed-packet=64M
max-connections=%(connections)d

log-bin=binlog
binlog-format=ROW
binlog-expire-logs-seconds=%(binlog_kept_s)d
max-binlog-size=128M
sync-binlog=1
innodb-flush-log-at-trx-commit=1
log-slave-updates
gtid-strict-mode=1
relay-log=relay
slave-parallel-threads=8
slave-parallel-mode=optimistic
slave-net-timeout=10
rpl-semi-sync-slave-enabled=1
rpl-semi-sync-master-wait-point=AFTER_SYNC
rpl-semi-sync-master-wait-no-slave=1
rpl-semi-sync-master-timeout=%(semi_sync_ms)d

performance-schema=0
innodb-buffer-pool-size=%(memory)d
innodb-log-file-size=64M
innodb-log-buffer-size=8M
innodb-read-io-threads=2
innodb-write-io-threads=2
innodb-purge-threads=2
key-buffer-size=1M
aria-pagecache-buffer-size=4M
table-open-cache=800
table-definition-cache=400
thread-cache-size=16
query-cache-type=0
query-cache-size=0
!include {data}/role.cnf
"""

INIT_TEXT = """\
SET sql_log_bin=0;
DELETE FROM mysql.global_priv WHERE User='' OR (User='root' AND Host<>'localhost');
FLUSH PRIVILEGES;
ALTER USER root@localhost IDENTIFIED BY PASSWORD '%(hash)s';
"""

CLIENT_TEXT = """\
[client]
user=root
password=${secret:database/root}
socket={sockets}/mariadb.sock
"""


def files(site: Site, zone: Zone, *, memory_bytes: int) -> Mapping[str, str]:
    """The server's files in the run folder, with placeholders and secrets not yet filled in."""
    return {
        OPTIONS: options(zone, memory_bytes=memory_bytes),
        INIT: INIT_TEXT % {"hash": hashes.native(site.vault.get("database/root"))},
        CLIENT: CLIENT_TEXT,
        START: start_plan(site),
        **_etcd.files(),
    }


def options(zone: Zone, *, memory_bytes: int) -> str:
    """The option file. `memory_bytes` is the buffer pool."""
    return OPTIONS_TEXT % {
        "port": PORT,
        "check_port": CHECK_PORT,
        "server_id": zone.index,
        "connections": MOST_CONNECTIONS,
        "binlog_kept_s": BINLOG_KEPT_S,
        "semi_sync_ms": SEMI_SYNC_TIMEOUT_MS,
        "memory": memory_bytes,
    }


def start_plan(site: Site) -> str:
    """What `_mariadb_start` reads before each start of the server."""
    plan = {
        "data": "{data}",
        "run": "{run}",
        "zone": "{zone}",
        "members": _etcd.members(site),
        "pem": f"{{run}}/{_etcd.PEM}",
    }
    return json.dumps(plan, indent=1) + "\n"


def prepare() -> Sequence[str]:
    """The command that must precede each start of the server."""
    return (sys.executable, "-m", "cordillera.targets.local._mariadb_start", "{run}/" + START)


def check(role: str) -> tuple[str, ...]:
    """HAProxy lines of a backend that asks each zone's keeper, and takes the servers that are `role`."""
    return (f"option httpchk GET /{role}",)


def check_options() -> tuple[str, ...]:
    """HAProxy lines that every endpoint of the database needs besides its check.

    A keeper that is started again within a second is not missed.
    """
    return (
        f"default-server port {ROLE_PORT} inter 1s fastinter 300ms downinter 300ms fall 3 rise 1 "
        "on-marked-down shutdown-sessions",
    )
