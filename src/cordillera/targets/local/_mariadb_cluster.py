"""Making the MariaDB servers of an environment one writer and its replicas. Everything converges."""

import time
from typing import TYPE_CHECKING

from cordillera.core.errors import NotReady
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._mariadb_ask import Server, session
from cordillera.targets.local._mariadb_copy import rebuild
from cordillera.targets.local._site import Site, Zone

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

MOST_REPLAYED_BYTES = 256 << 20
"""A fresh replica replays the writer's whole log up to this; a longer one is copied instead."""
JOIN_WITHIN_S = 15.0
LOG_PURGED_OR_DIVERGED, ACCESS_DENIED = 1236, 1045
PROMOTION_TABLE = (
    "CREATE TABLE IF NOT EXISTS cordillera.promotion (epoch INT UNSIGNED PRIMARY KEY, "
    "zone VARCHAR(16) NOT NULL, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"
)

FIRST_PROMOTION = "INSERT IGNORE INTO cordillera.promotion (epoch, zone) VALUES (1, %s)"


def settle(site: Site) -> None:
    """One writer, every other server in step with it, then open for writes. May be called twice.

    Who writes is asked of the servers. Raises NotReady, Refused.
    """
    servers = asking.survey(site)
    writer = asking.writer_among(servers)
    if not asking.trouble(servers):
        return
    _prepare_writer(site, writer)
    for server in servers:
        if server.zone != writer.zone:
            _bring_in(site, asking.ask(site, site.zone(writer.zone)), server)
    _open(site, writer)


def settled(site: Site) -> bool:
    """Whether one writer is open and everything else in step with it."""
    return not asking.trouble(asking.survey(site))


def make_schema(site: Site, schema: str, secret: str) -> None:
    """A schema and its user, who may do anything in it and nothing elsewhere. May be called twice."""
    user, pattern = schema, schema.replace("_", r"\_")
    with session(site, _writer_zone(site)) as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS `{schema}`")
        cursor.execute(f"CREATE USER IF NOT EXISTS `{user}`@'%'")
        cursor.execute(f"ALTER USER `{user}`@'%%' IDENTIFIED BY %s", (site.vault.get(secret),))
        cursor.execute(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO `{user}`@'%'")


def schema_works(site: Site, schema: str, secret: str) -> bool:
    """Whether the user can log in to its schema with today's password."""
    import pymysql

    password = site.vault.get(secret)
    try:
        zone = _writer_zone(site)
        asking.log_in(
            zone, schema, password, schema=schema, timeout_s=asking.PROBE_TIMEOUT_S
        ).close()
    except (pymysql.Error, OSError, NotReady):
        return False
    return True


def drop_schema(site: Site, schema: str) -> None:
    """Remove a schema, everything in it, and its user. Nothing to do when no server takes writes."""
    try:
        zone = _writer_zone(site)
    except NotReady:
        return
    with session(site, zone) as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS `{schema}`")
        cursor.execute(f"DROP USER IF EXISTS `{schema}`@'%'")


def _writer_zone(site: Site) -> Zone:
    for server in asking.survey(site):
        if server.writable:
            return site.zone(server.zone)
    raise NotReady("no database server takes writes")


def _prepare_writer(site: Site, writer: Server) -> None:
    password = site.vault.get("database/replication")
    user = f"`{config.REPLICATION_USER}`@'%'"
    with session(site, site.zone(writer.zone)) as cursor:
        if writer.follows:
            raise NotReady(f"the database in zone {writer.zone} still follows {writer.follows}")
        if not writer.semi_sync_replicas and not writer.writable:
            cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled=0")
        if not _replication_works(site, writer):
            cursor.execute(f"CREATE USER IF NOT EXISTS {user}")
            cursor.execute(f"ALTER USER {user.replace('%', '%%')} IDENTIFIED BY %s", (password,))
            cursor.execute(f"GRANT REPLICATION SLAVE, SLAVE MONITOR ON *.* TO {user}")
        if writer.epoch == 0:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS cordillera")
            cursor.execute(PROMOTION_TABLE)
            cursor.execute(FIRST_PROMOTION, (writer.zone,))


def _replication_works(site: Site, writer: Server) -> bool:
    import pymysql

    zone, password = site.zone(writer.zone), site.vault.get("database/replication")
    try:
        asking.log_in(
            zone, config.REPLICATION_USER, password, timeout_s=asking.PROBE_TIMEOUT_S
        ).close()
    except (pymysql.Error, OSError):
        return False
    return True


def _bring_in(site: Site, writer: Server, server: Server) -> None:
    """Have `server` follow `writer`; rebuild it from a copy when its past is another one."""
    if not server.answers:
        raise NotReady(f"the database in zone {server.zone} does not answer: {server.error}")
    diverged = asking.diverged(server, writer)
    if diverged or (server.fresh and writer.log_bytes > MOST_REPLAYED_BYTES):
        rebuild(site, writer, server, keep_old=diverged)
    if not (server.in_step_with(writer) and not server.writable):
        _follow(site, writer, server)
    _wait_in_step(site, writer, server)


def _follow(site: Site, writer: Server, server: Server) -> None:
    """Point `server` at `writer`, from where its own data ends."""
    zone = site.zone(server.zone)
    with session(site, zone) as cursor:
        cursor.execute("SET GLOBAL read_only=1, GLOBAL rpl_semi_sync_master_enabled=0")
        if server.follows == writer.address and server.receive_error != ACCESS_DENIED:
            cursor.execute("START SLAVE")
            return
        cursor.execute("STOP SLAVE")
        _begin_at(cursor, server)
        cursor.execute(
            "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, MASTER_PASSWORD=%s, "
            "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=2",
            (
                writer.address,
                config.PORT,
                config.REPLICATION_USER,
                site.vault.get("database/replication"),
            ),
        )
        for note in asking.copy_notes(zone):
            note.unlink(missing_ok=True)
        cursor.execute("START SLAVE")


def _begin_at(cursor: "DictCursor", server: Server) -> None:
    """A copy begins where the writer was when it was taken; who wrote itself, where it stopped."""
    if server.follows:
        return
    if server.copy_of:
        cursor.execute("SET GLOBAL gtid_slave_pos=%s", (server.copy_of,))
    elif server.known:
        cursor.execute("SET GLOBAL gtid_slave_pos=@@gtid_current_pos")


def _wait_in_step(site: Site, writer: Server, server: Server) -> None:
    deadline = time.monotonic() + JOIN_WITHIN_S
    while time.monotonic() < deadline:
        now = asking.ask(site, site.zone(server.zone))
        if now.in_step_with(writer):
            return
        if now.receive_error == LOG_PURGED_OR_DIVERGED or now.apply_error:
            rebuild(site, writer, now, keep_old=asking.diverged(now, writer))
        time.sleep(0.1)
    raise NotReady(
        f"the database in zone {server.zone} is not in step: {now.error or 'connecting'}"
    )


def _open(site: Site, writer: Server) -> None:
    """Let applications write, once a second zone confirms every commit."""
    now = asking.survey(site)
    if any(s.writable and s.zone != writer.zone for s in now):
        raise NotReady("the roles of the databases changed meanwhile")
    with session(site, site.zone(writer.zone)) as cursor:
        cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled=1")
        cursor.execute("SET GLOBAL read_only=0")
