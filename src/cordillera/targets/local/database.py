"""The database on one machine: a MariaDB writer, a semi-synchronous replica in the other zone."""

from collections.abc import Iterator, Mapping, Sequence

from cordillera.components.base import variable_prefix
from cordillera.components.database import DatabaseSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _mariadb_ask as asking
from cordillera.targets.local import _mariadb_cluster as cluster
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local import _mariadb_lag as _lag
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import (
    Endpoint,
    LocalPart,
    Parts,
    Process,
    Ready,
    Task,
    part,
)
from cordillera.targets.local._site import Site, Zone

OFFER = Offered("one cluster per environment")

USERS_OF_IT = ("database", "queue", "objects")
INTERNAL = {
    "queue": ("cordillera_queue", "queue/db"),
    "objects": ("cordillera_objects", "objects/db"),
}
"""Schemas of components that keep their own data in the database, with their passwords' names."""

RESERVED = ("mysql", "sys", "root", "information_schema", "performance_schema", "cordillera")
LEAST_MEMORY_BYTES = 64 << 20
STOP_GRACE_S = 30.0
SETTLED_WITHIN_S = 120.0
SCHEMA_PART = "schema-"


class Database(Component):
    """One cluster per environment; each `database` resource is a schema and a user of it."""

    name = "database"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not needed(want):
            return ()
        memory_bytes = _memory_bytes(want)
        servers = [_server(site, zone, memory_bytes) for zone in site.zones]
        return (*servers, _settled(site), *(_schema(site, *one) for one in _schemas(want)))

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        """The writer's, and the replica's; reads go to the writer while there is no replica."""
        if not needed(want):
            return ()
        writer, reader = "database-writer", "database-reader"
        fall_back = f"use_backend {writer} if {{ nbsrv({reader}) eq 0 }}"
        options = config.check_options()

        def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
            return [
                (z.name, z.private, config.PORT)
                for z in (zone, *site.others(zone))
                if not z.votes_only
            ]

        return (
            Endpoint(writer, config.WRITER_PORT, servers, config.check("writer"), options),
            Endpoint(
                reader, config.READER_PORT, servers, config.check("replica"), (*options, fall_back)
            ),
        )

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        schema, secret = schema_name(resource), f"database/{resource}"
        password = f"${{secret:{secret}}}"
        at = f"mysql://{schema}:{password}@{zone.private}"
        return {
            "host": zone.private, "port": str(config.WRITER_PORT),
            "reader_host": zone.private, "reader_port": str(config.READER_PORT),
            "username": schema, "password": password, "name": schema,
            "url": f"{at}:{config.WRITER_PORT}/{schema}",
            "reader_url": f"{at}:{config.READER_PORT}/{schema}",
        }  # fmt: skip

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        fields, prefix = self.fields(want, site, resource, zone), variable_prefix(resource)
        found = {f"{prefix}_URL": fields["url"], f"{prefix}_READER_URL": fields["reader_url"]}
        if resource == next((name for name, _ in want.of_type("database")), ""):
            found["DATABASE_URL"] = fields["url"]
        return found

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        if task.verb == "settle":
            cluster.settle(site)
        else:
            cluster.make_schema(site, task.args["schema"], task.args["secret"])

    def holds(self, task: Task, site: Site) -> bool:
        if task.verb == "settle":
            return cluster.settled(site)
        return cluster.schema_works(site, task.args["schema"], task.args["secret"])

    def removed(self, name: str, site: Site) -> None:
        if name.startswith(SCHEMA_PART):
            cluster.drop_schema(site, name.removeprefix(SCHEMA_PART))

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        names = [name for name, _ in want.of_type("database")]
        if not names:
            return {}
        found = asking.survey(site)
        trouble = asking.trouble(found, cluster.agreed(site))
        members = asking.members(found)
        return {
            name: ResourceState(
                type="database", healthy=not trouble, durable=not trouble,
                endpoint=f"{site.zones[0].private}:{config.WRITER_PORT}/{schema_name(name)}",
                members=members, detail=trouble,
            )
            for name in names
        }  # fmt: skip

    def behind(self, want: Wanted, site: Site) -> Mapping[str, tuple[float, str]]:
        return dict(_lag.behind(site)) if any(want.of_type("database")) else {}

    def writers(self, site: Site) -> Mapping[str, bool | None]:
        """Which zones' servers take writes; None is silent, which is not the same as fenced."""
        return {s.zone: s.writable if s.answers else None for s in asking.survey(site)}


def schema_name(resource: str) -> str:
    """The schema, and user, of a database resource."""
    name = resource.replace("-", "_")
    return f"app_{name}" if name in RESERVED or name.startswith("cordillera_") else name


def needed(want: Wanted) -> bool:
    """Whether an environment has MariaDB servers."""
    return any(spec.type in USERS_OF_IT for spec in want.resources.values())


def _memory_bytes(want: Wanted) -> int:
    asked = (spec.memory for _, spec in want.of_type("database") if isinstance(spec, DatabaseSpec))
    return max(LEAST_MEMORY_BYTES, sum(asked))


def _schemas(want: Wanted) -> Iterator[tuple[str, str]]:
    """Every schema with the name of its password."""
    yield from ((schema_name(name), f"database/{name}") for name, _ in want.of_type("database"))
    yield from (INTERNAL[kind] for kind in INTERNAL if any(want.of_type(kind)))


def _server(site: Site, zone: Zone, memory_bytes: int) -> LocalPart:
    body = Process(
        argv=("mariadbd", f"--defaults-file={{run}}/{config.OPTIONS}"),
        zone=zone.name,
        user="database",
        files=config.files(site, zone, memory_bytes=memory_bytes),
        prepare=(tuple(config.prepare()),),
        data=config.DATA,
        variables=config.VARIABLES,
        ready=Ready(kind="tcp", port=config.PORT, within_s=60.0),
        stop_grace_s=STOP_GRACE_S,
    )
    name = f"mariadb@{zone.name}"
    return part("database", name, f"database/{zone.name}", body, site.vault.digest, holds_data=True)


def _settled(site: Site) -> LocalPart:
    task = Task("settle", watched=("${secret:database/replication}",), within_s=SETTLED_WITHIN_S)
    return part("database", "roles", "database/setup", task, site.vault.digest)


def _schema(site: Site, schema: str, secret: str) -> LocalPart:
    args = {"schema": schema, "secret": secret}
    task = Task("schema", args, watched=(f"${{secret:{secret}}}",))
    name = SCHEMA_PART + schema
    return part("database", name, "database/setup", task, site.vault.digest, holds_data=True)
