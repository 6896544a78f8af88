"""An environment's databases from outside of its zones: how they begin, their schemas, the votes."""

from cordillera.core.errors import NotReady
from cordillera.targets.local import _hashes as hashes
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local._keeper import votes
from cordillera.targets.local._keeper.votes import Votes
from cordillera.targets.local._mariadb_ask import session
from cordillera.targets.local._net import PROBE_TIMEOUT_S
from cordillera.targets.local._site import Site, Zone
from cordillera.targets.local._votes_ask import asked, client_of


def settle(site: Site) -> None:
    """Have the votes know who writes, if they do not, and the keepers make it so. May be called twice.

    Raises NotReady until one server is open and the other in step, Refused when they cannot be told apart.
    """
    client = client_of(site)
    try:
        if votes.read(client).record is None:
            writer = asking.writer_among(asking.survey(site))
            votes.begin(client, writer.zone, writer.epoch)
    finally:
        client.close()
    why = asking.trouble(asking.survey(site), agreed(site))
    if why:
        raise NotReady(f"the database: {why}")


def settled(site: Site) -> bool:
    """Whether one writer is open and everything else in step with it."""
    return not asking.trouble(asking.survey(site), agreed(site))


def agreed(site: Site) -> Votes | None:
    """What the votes say; None while no majority answers."""
    return asked(site, votes.read)


def make_schema(site: Site, schema: str, secret: str) -> None:
    """A schema and its user, who may do anything in it and nothing elsewhere. May be called twice."""
    user, pattern = schema, schema.replace("_", r"\_")
    password = hashes.native(site.vault.get(secret))
    with session(site, _writer_zone(site)) as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS `{schema}`")
        for verb in ("CREATE USER IF NOT EXISTS", "ALTER USER"):
            cursor.execute(f"{verb} `{user}`@'%%' IDENTIFIED BY PASSWORD %s", (password,))
        cursor.execute(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO `{user}`@'%'")


def schema_works(site: Site, schema: str, secret: str) -> bool:
    """Whether the user can log in to its schema with today's password."""
    import pymysql

    password = site.vault.get(secret)
    try:
        zone = _writer_zone(site)
        asking.log_in(zone, schema, password, schema=schema, timeout_s=PROBE_TIMEOUT_S).close()
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
