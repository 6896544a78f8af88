"""Databases: Aurora MySQL, a writer and a reader in another zone that grow with their load.

Each has a cluster of its own. The master's password is Aurora's, which rotates it; the app has a user who may
do anything in its schema and nothing elsewhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import GetAZs, Select, rds

from cordillera.components.base import variable_prefix
from cordillera.components.database import DatabaseSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError, Refused
from cordillera.targets.aws import (
    _database_live,
    _database_proxy,
    _database_user,
    _groups,
    _keys,
    _passwords,
    _windows,
    network,
)
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._database_ids import PORT, cluster, schema_name, user_secret
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._refs import Ref, Value, camel, joined
from cordillera.targets.aws._site import DATA, RELEASE, Site

OFFER = Offered("Aurora MySQL 3, a cluster for each database; never run against the real service")

SERVERS = 2
FAMILY, ENGINE, VERSION = "aurora-mysql8.0", "aurora-mysql", "8.0.mysql_aurora.3.10.6"
INSIGHTS_FROM_CAPACITY, INSIGHTS_DAYS = 2, 7
SLOW_QUERY_S = 1


class Database(Component):
    """A cluster per database resource, in the isolated subnets."""

    name = "database"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        made = list[AwsPart]()
        for name, spec in databases(want):
            made += _parts(name, spec, site)
            if spec.proxy:
                made += _database_proxy.parts(name, spec, site)
        return made

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        spec = dict(databases(want))[resource]
        made, schema = cluster(resource), schema_name(resource)
        host: Value = made.get("Endpoint.Address")
        reader: Value = made.get("ReadEndpoint.Address")
        if spec.proxy:
            host, reader = _database_proxy.endpoints(resource)
        password = _passwords.of(resource, user_secret(resource))

        def url(at: Value) -> Value:
            return joined(f"mysql://{schema}:", password, "@", at, f":{PORT}/{schema}")

        return {
            "host": host,
            "port": str(PORT),
            "reader_host": reader,
            "reader_port": str(PORT),
            "username": schema,
            "password": password,
            "name": schema,
            "url": url(host),
            "reader_url": url(reader),
        }

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        fields, prefix = self.fields(want, site, resource), variable_prefix(resource)
        found = {f"{prefix}_URL": fields["url"], f"{prefix}_READER_URL": fields["reader_url"]}
        if resource == next(name for name, _ in databases(want)):
            found["DATABASE_URL"] = fields["url"]
        return found

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """What is no longer wanted must be deletable; and an app's user before the app."""
        if unit == DATA:
            _database_live.unprotect(live, keep=[cluster(name).id for name, _ in databases(want)])
        if unit == RELEASE:
            self._settle(want, live)

    def after(self, unit: str, want: Wanted, live: Live) -> None:
        """The app's user as soon as there is a server."""
        if unit == DATA:
            self._settle(want, live)

    def _settle(self, want: Wanted, live: Live) -> None:
        for name, _ in databases(want):
            _database_user.make(name, live)
            _database_live.bound_logs(name, live)

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {name: _database_live.state(name, live) for name, _ in databases(want)}

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        if unit == DATA:
            _database_live.unprotect(live, keep=())


def databases(want: Wanted) -> Iterator[tuple[str, DatabaseSpec]]:
    """The environment's databases, in the manifest's order."""
    for name, spec in want.of_type("database"):
        if isinstance(spec, DatabaseSpec):
            yield name, spec


def refuse_unless_rotated(name: str, want: Wanted) -> None:
    """Raises ManifestError for what is no database, Refused where a password cannot be changed unnoticed."""
    found = dict(databases(want))
    if name not in found:
        raise ManifestError(
            f"{want.environment} has no database called {name}, and only databases' passwords are rotated",
            hint=f"one of: {', '.join(found) or 'none, it has no database'}",
        )
    if found[name].proxy:
        raise Refused(
            f"the proxy before {name} takes one password only: copies that run would be locked out",
            hint="the database itself takes two: do without `proxy: true`",
        )


def _parts(name: str, spec: DatabaseSpec, site: Site) -> Iterator[AwsPart]:
    user = user_secret(name)
    what = f"The app's user of the database {name} of {site.environment}"
    yield _passwords.secret("database", user, what, schema_name(name))
    yield part("database", DATA, _subnets(name, site))
    yield part("database", DATA, _cluster_parameters(name, spec))
    yield part("database", DATA, _server_parameters(name))
    yield part("database", DATA, _cluster(name, spec), holds_data=True)
    for index in range(SERVERS):
        yield part("database", DATA, _server(name, spec, site, index))


def _subnets(name: str, site: Site) -> Any:
    return rds.DBSubnetGroup(
        camel(name, "database-subnets"),
        DBSubnetGroupDescription=f"{site.environment}: {name}",
        SubnetIds=network.subnets("isolated", site),
    )


def _cluster_parameters(name: str, spec: DatabaseSpec) -> Any:
    return rds.DBClusterParameterGroup(
        camel(name, "cluster-parameters"),
        Description=f"Cluster {name}",
        Family=FAMILY,
        Parameters={
            "character_set_server": "utf8mb4",
            "collation_server": "utf8mb4_0900_ai_ci",
            "time_zone": "UTC",
            "require_secure_transport": "ON" if spec.require_tls else "OFF",
            # Who connected and what was defined; not statements, which hold data and passwords.
            "server_audit_logging": "1",
            "server_audit_events": "CONNECT,QUERY_DDL",
        },
    )


def _server_parameters(name: str) -> Any:
    return rds.DBParameterGroup(
        camel(name, "server-parameters"),
        Description=f"Servers of {name}",
        Family=FAMILY,
        Parameters={
            "slow_query_log": "1",
            "long_query_time": str(SLOW_QUERY_S),
            "log_output": "FILE",
        },
    )


def _cluster(name: str, spec: DatabaseSpec) -> Any:
    return rds.DBCluster(
        cluster(name).id,
        Engine=ENGINE,
        EngineVersion=VERSION,
        Port=PORT,
        DBSubnetGroupName=Ref(DATA, camel(name, "database-subnets")),
        DBClusterParameterGroupName=Ref(DATA, camel(name, "cluster-parameters")),
        VpcSecurityGroupIds=[_groups.of_resource(name)],
        MasterUsername="admin",
        ManageMasterUserPassword=True,
        MasterUserSecret=rds.MasterUserSecret(KmsKeyId=_keys.KEY.get("Arn")),
        EnableHttpEndpoint=True,  # how the app's user is made without a way into the network
        ServerlessV2ScalingConfiguration=rds.ServerlessV2ScalingConfiguration(
            MinCapacity=spec.capacity.min, MaxCapacity=spec.capacity.max
        ),
        StorageEncrypted=True,
        KmsKeyId=_keys.KEY.get("Arn"),
        DeletionProtection=True,
        BackupRetentionPeriod=spec.backups.keep_days,
        PreferredBackupWindow=_windows.backup(spec.backups.window),
        PreferredMaintenanceWindow=_windows.maintenance(spec.backups.window),
        CopyTagsToSnapshot=True,
        EnableCloudwatchLogsExports=list(_database_live.LOGS),
        DeletionPolicy="Snapshot",
        UpdateReplacePolicy="Snapshot",
    )


def _server(name: str, spec: DatabaseSpec, site: Site, index: int) -> Any:
    """Which of them writes is Aurora's to say; the first one made does at first."""
    zones = site.zones
    more: dict[str, Any] = {}
    if index:
        more["DependsOn"] = server(name, site, 0).id
    if spec.capacity.min >= INSIGHTS_FROM_CAPACITY:  # below it takes memory that queries need
        more["EnablePerformanceInsights"] = True
        more["PerformanceInsightsRetentionPeriod"] = INSIGHTS_DAYS
        more["PerformanceInsightsKMSKeyId"] = _keys.KEY.get("Arn")
    return rds.DBInstance(
        server(name, site, index).id,
        DBClusterIdentifier=cluster(name),
        DBInstanceClass="db.serverless",
        Engine=ENGINE,
        DBParameterGroupName=Ref(DATA, camel(name, "server-parameters")),
        AvailabilityZone=Select(zones[index % len(zones)].index, GetAZs("")),
        PromotionTier=1,  # both can take over, and the reader is kept as large as the writer
        PubliclyAccessible=False,
        AutoMinorVersionUpgrade=True,
        **more,
    )


def server(name: str, site: Site, index: int) -> Ref:
    """A server of a database, told by the zone it lives in."""
    return Ref(DATA, camel(name, "server", site.zones[index % len(site.zones)].name))
