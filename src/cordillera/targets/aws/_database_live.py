"""A database as it really is: its app's user, its protection, what its servers tell."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from cordillera.components.state import Member, ResourceState
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.aws import _metrics
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._database_ids import PORT, cluster, schema_name, user_secret
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import DATA

LOGS = ("audit", "error", "slowquery")
LOG_DAYS = 30
CLUSTER_TYPE = "AWS::RDS::DBCluster"
WAKING = (
    "DatabaseNotFoundException",
    "DatabaseResumingException",
    "DatabaseUnavailableException",
    "InternalServerErrorException",
    "ServiceUnavailableError",
)
"""Errors of the Data API that pass by themselves."""


def make_user(resource: str, live: Live) -> None:
    """The schema and the app's user, with the secret's password. May be called twice; may raise NotReady."""
    found = _found(resource, live)
    if not found.get("MasterUserSecret"):
        raise NotReady(f"the database {resource} has not made its master's password yet")
    manager = live.client("secretsmanager")
    secret = manager.get_secret_value(SecretId=live.physical(user_secret(resource)))
    password = str(json.loads(secret["SecretString"])["password"])
    for statement in statements(schema_name(resource), password):
        _execute(resource, found, statement, password, live)


def statements(schema: str, password: str) -> list[str]:
    """What makes a schema and its user. Pure."""
    pattern = schema.replace("_", r"\_")  # in a grant an underscore stands for any letter
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    return [
        f"CREATE DATABASE IF NOT EXISTS `{schema}` CHARACTER SET utf8mb4",
        f"CREATE USER IF NOT EXISTS '{schema}'@'%' IDENTIFIED BY '{quoted}'",
        f"ALTER USER '{schema}'@'%' IDENTIFIED BY '{quoted}'",
        f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO '{schema}'@'%'",
    ]


def _execute(
    resource: str, found: Mapping[str, Any], statement: str, password: str, live: Live
) -> None:
    """One statement as the master. What it says is never shown: servers quote statements in errors."""
    try:
        live.client("rds-data").execute_statement(
            resourceArn=found["DBClusterArn"],
            secretArn=found["MasterUserSecret"]["SecretArn"],
            sql=statement,
        )
    except AwsError as e:
        if e.code in WAKING:
            raise NotReady(f"the database {resource} does not take statements yet") from e
        verb = " ".join(statement.split()[:2])
        if password in str(e) or password in statement:
            raise CordilleraError(
                f"the database {resource} refused {verb} ({e.code})",
                hint="look at the cluster's error log in CloudWatch",
            ) from None
        raise


def bound_logs(resource: str, live: Live) -> None:
    """Aurora makes its log groups itself and keeps them for ever: bound them. May be called twice."""
    logs, name = live.client("logs"), live.physical(cluster(resource))
    prefix = f"/aws/rds/cluster/{name}/"
    for group in logs.pages("describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        if group.get("retentionInDays") != LOG_DAYS:
            logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=LOG_DAYS)


def unprotect(live: Live, *, keep: Collection[str]) -> None:
    """Let go of clusters whose logical ids are not in `keep`. May be called twice."""
    stacks = Stacks(live.site)
    if stacks.describe(DATA) is None:
        return
    for id, kind, physical in stacks.resources(DATA):
        if kind == CLUSTER_TYPE and physical and id not in keep:
            try:
                live.client("rds").modify_db_cluster(
                    DBClusterIdentifier=physical, DeletionProtection=False, ApplyImmediately=True
                )
            except AwsError as e:
                if "NotFound" not in e.code:
                    raise


def state(resource: str, live: Live) -> ResourceState:
    """Writer, reader and its lag. Raises CordilleraError when it cannot be asked."""
    found = _found(resource, live)
    servers = live.client("rds").pages(
        "describe_db_instances",
        "DBInstances",
        Filters=[{"Name": "db-cluster-id", "Values": [found["DBClusterIdentifier"]]}],
    )
    by_name = {one["DBInstanceIdentifier"]: one for one in servers}
    members = tuple(
        _member(m, by_name.get(m["DBInstanceIdentifier"], {}), live)
        for m in found["DBClusterMembers"]
    )
    trouble = _trouble(str(found["Status"]), members)
    return ResourceState(
        type="database",
        healthy=not trouble,
        # Storage is in three zones whatever becomes of the servers.
        durable=bool(members),
        endpoint=f"{found['Endpoint']}:{found.get('Port', PORT)}/{schema_name(resource)}",
        members=members,
        detail=trouble,
    )


def _member(member: Mapping[str, Any], server: Mapping[str, Any], live: Live) -> Member:
    writes, status = member["IsClusterWriter"], server.get("DBInstanceStatus", "unknown")
    name = str(member["DBInstanceIdentifier"])
    lag_ms = (
        None
        if writes
        else _metrics.last(live, "AWS/RDS", "AuroraReplicaLag", {"DBInstanceIdentifier": name})
    )
    return Member(
        zone=str(server.get("AvailabilityZone", "")),
        role="writer" if writes else "reader",
        healthy=status == "available",
        lag_s=None if lag_ms is None else lag_ms / 1000,
        detail="" if status == "available" else str(status),
    )


def _trouble(status: str, members: tuple[Member, ...]) -> str:
    """What is wrong, in a sentence; empty when nothing is."""
    well = [m for m in members if m.healthy]
    if status != "available":
        return f"the cluster is {status}"
    writers = sum(m.role == "writer" for m in well)
    if writers != 1:
        return f"{writers or 'no'} servers are writers, and one should be"
    if len({m.zone for m in well}) < 2:
        return "no server in a second zone is available"
    return ""


def _found(resource: str, live: Live) -> dict[str, Any]:
    name = live.physical(cluster(resource))
    found = live.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    if not found:
        raise NotReady(f"the database {resource} is not there yet")
    made: dict[str, Any] = found[0]
    return made
