"""A database as it really is: its protection, its logs, what its servers tell."""

from collections.abc import Collection, Mapping
from typing import Any

from cordillera.components.state import Member, ResourceState
from cordillera.core.errors import NotReady
from cordillera.targets.aws import _metrics
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._database_ids import PORT, cluster, schema_name
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import DATA

LOGS = ("audit", "error", "slowquery")
LOG_DAYS = 30
CLUSTER_TYPE = "AWS::RDS::DBCluster"


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
    found = described(resource, live)
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


def described(resource: str, live: Live) -> dict[str, Any]:
    """The cluster as RDS tells it. Raises NotReady while it is not there."""
    name = live.physical(cluster(resource))
    found = live.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    if not found:
        raise NotReady(f"the database {resource} is not there yet")
    made: dict[str, Any] = found[0]
    return made
