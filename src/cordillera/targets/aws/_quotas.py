"""The account's limits: how much of them an environment takes up (pure), and how much is left (asked)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cordillera.components.bill import Need
from cordillera.core.errors import Refused
from cordillera.targets.aws import _pricing
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._rows import Row
from cordillera.targets.aws._site import APP, DATA, NETWORK, STANDBY, STANDBY_APP


@dataclass(frozen=True)
class Quota:
    """A limit of AWS: its name for people, its place in Service Quotas, and a new account's value."""

    name: str
    service: str
    code: str
    usual: float


VPCS = Quota("VPCs", "vpc", "L-F678F1CE", 5)
ADDRESSES = Quota("elastic IP addresses", "ec2", "L-0263D0A3", 5)
BALANCERS = Quota("application load balancers", "elasticloadbalancing", "L-53DA6B97", 50)
AURORA = Quota("Aurora clusters", "rds", "L-952B80B8", 40)
CORES = Quota("Fargate vCPUs", "fargate", "L-3032A538", 6)
SPOT_CORES = Quota("Fargate Spot vCPUs", "fargate", "L-36FBB829", 6)
QUOTAS = (VPCS, ADDRESSES, BALANCERS, AURORA, CORES, SPOT_CORES)


def needs(rows: Iterable[Row]) -> list[Need]:
    """What every region gives up, in the order of `QUOTAS`. Services count with their most copies, and what
    waits in a standby region with what it has after a failover."""
    taken: dict[tuple[str, str], float] = {}
    for row in rows:
        for quota, count in _taken(row).items():
            key = row.region, quota.name
            taken[key] = taken.get(key, 0.0) + count
    return [
        Need(quota.name, region, taken[region, quota.name], quota.usual)
        for region in sorted({region for region, _ in taken})
        for quota in QUOTAS
        if taken.get((region, quota.name))
    ]


def _taken(row: Row) -> Mapping[Quota, float]:
    takes = TAKES.get(row.type)
    return takes(row) if takes else {}


def _one(quota: Quota) -> Callable[[Row], Mapping[Quota, float]]:
    return lambda _: {quota: 1.0}


def _network(row: Row) -> Mapping[Quota, float]:
    """A network that waits also takes what a failover makes around it: the addresses of its gateways and the
    databases. Each gateway has an address, of which there are fewer than of gateways."""
    if row.unit != STANDBY:
        return {VPCS: 1.0}
    return {
        VPCS: 1.0,
        ADDRESSES: row.count(NETWORK, "AWS::EC2::EIP"),
        AURORA: row.count(DATA, "AWS::RDS::DBCluster"),
    }


def _tasks(row: Row) -> Mapping[Quota, float]:
    """While a release is rolled out there are twice as many."""
    task = row.find(row.get("TaskDefinition"))
    cores = (task.number("Cpu", 256) if task else 256) / 1024
    count = _most(row)
    return {SPOT_CORES if row.get("CapacityProviderStrategy") else CORES: 2 * cores * count}


def _most(row: Row) -> float:
    """The most copies that a service may have. One that waits at none takes its place's after a failover."""
    twin = row.twin(APP) if row.unit == STANDBY_APP else None
    if twin is not None:
        return _most(twin)
    scaled = _pricing.scaled(row)
    return scaled.number("MaxCapacity", 1) if scaled else _pricing.copies(row)


TAKES: Mapping[str, Callable[[Row], Mapping[Quota, float]]] = {
    "AWS::EC2::VPC": _network,
    "AWS::EC2::EIP": _one(ADDRESSES),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _one(BALANCERS),
    "AWS::RDS::DBCluster": _one(AURORA),
    "AWS::ECS::Service": _tasks,
}


def left(quota: Quota, region: str, live: Live) -> tuple[float, float]:
    """(limit, how much of it is taken) in a region."""
    limit, usage = _limit(quota, region, live)
    count = COUNTS.get(quota)
    return limit, count(live, region) if count else _measured(usage, region, live)


def too_few(quota: Quota, need: Need, limit: float, used: float) -> Refused:
    """The sentence for a limit that is too low."""
    return Refused(
        f"{need.region}: {need.takes:g} {quota.name} are needed, and of {limit:g} only "
        f"{max(0.0, limit - used):g} are left",
        hint=f"aws service-quotas request-service-quota-increase --region {need.region} "
        f"--service-code {quota.service} --quota-code {quota.code} "
        f"--desired-value {used + need.takes:g}",
    )


def _limit(quota: Quota, region: str, live: Live) -> tuple[float, Mapping[str, Any]]:
    """(limit, how CloudWatch measures what is taken); a new account's limit when it has none of its own."""
    asked = live.client("service-quotas", region)
    try:
        found = asked.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]
    except AwsError as e:
        if "NoSuchResource" not in e.code:
            raise
        return quota.usual, {}
    return float(found["Value"]), found.get("UsageMetric") or {}


def _measured(usage: Mapping[str, Any], region: str, live: Live) -> float:
    """What CloudWatch saw in the last hour; nothing where it was not told to look."""
    if not usage:
        return 0.0
    now = datetime.now(UTC)
    found = live.client("cloudwatch", region).get_metric_statistics(
        Namespace=usage["MetricNamespace"],
        MetricName=usage["MetricName"],
        Dimensions=[{"Name": k, "Value": v} for k, v in usage["MetricDimensions"].items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((float(point["Maximum"]) for point in found), default=0.0)


def _count(service: str, verb: str, key: str) -> Callable[[Live, str], float]:
    return lambda live, region: float(sum(1 for _ in live.client(service, region).pages(verb, key)))


def _balancers(live: Live, region: str) -> float:
    found = live.client("elbv2", region).pages("describe_load_balancers", "LoadBalancers")
    return float(sum(1 for one in found if one.get("Type") == "application"))


def _addresses(live: Live, region: str) -> float:
    return float(len(live.client("ec2", region).describe_addresses()["Addresses"]))


COUNTS: Mapping[Quota, Callable[[Live, str], float]] = {
    VPCS: _count("ec2", "describe_vpcs", "Vpcs"),
    ADDRESSES: _addresses,
    BALANCERS: _balancers,
    AURORA: _count("rds", "describe_db_clusters", "DBClusters"),
}
