"""What each type of resource costs a month: by its properties, and by a small use that is said. Pure.

A type is priced here, is free (`FREE`), or is listed as not priced: never silently nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cordillera.targets.aws._prices import SPOT_SHARE, Prices
from cordillera.targets.aws._refs import within
from cordillera.targets.aws._rows import Row

REQUESTS_M, GB_OUT, GB_NAT, GB_LOGS = 1.0, 20.0, 10.0, 1.0
GB_DATABASE, MILLION_IO, GB_OBJECTS, GB_IMAGES, GB_MAILS = 10.0, 5.0, 10.0, 2.0, 0.1
LCU = 0.1
SCALED = "AWS::ApplicationAutoScaling::ScalableTarget"
SERVICE_METRICS, CLUSTER_METRICS = 13, 8


@dataclass(frozen=True)
class Cost:
    """US dollars a month for something; None when the table has no price for it."""

    what: str
    usd: float | None
    assumes: str = ""


Pricer = Callable[[Row, Prices], Iterator[Cost]]


def times(price: float | None, count: float) -> float | None:
    """A price that many times; None stays None."""
    return None if price is None else price * count


def plus(*prices: float | None) -> float | None:
    """Their sum; None as soon as one is not known."""
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None


def of(row: Row, prices: Prices) -> list[Cost]:
    """What a resource costs: nothing for what is free."""
    if row.type in FREE:
        return []
    pricer = PRICERS.get(row.type)
    if pricer is None:
        return [Cost(row.type.removeprefix("AWS::"), None)]
    return list(pricer(row, prices))


def copies(service: Row) -> float:
    """How many copies of a service run at rest: what it is told, or the least that scaling leaves."""
    if "DesiredCount" in service.properties:
        return service.number("DesiredCount", 1)
    steered = scaled(service)
    return steered.number("MinCapacity", 1) if steered else 1


def scaled(service: Row) -> Row | None:
    """What says between how many copies a service is steered; None for one of a fixed size."""
    for one in service.siblings():
        named = within(one.get("ResourceId")) if one.type == SCALED else ()
        if any(ref.id == service.id for ref in named):
            return one
    return None


def _service(row: Row, prices: Prices) -> Iterator[Cost]:
    task = row.find(row.get("TaskDefinition"))
    if task is None:
        yield Cost("tasks", None)
        return
    cpu, memory = task.number("Cpu", 256) / 1024, task.number("Memory", 512) / 1024
    family = _family(task)
    count = copies(row)
    spot = min(count, _spot(row, count))
    one = plus(
        times(prices.month(f"fargate {family} vcpu"), cpu),
        times(prices.month(f"fargate {family} GB"), memory),
    )
    size = f"{cpu:g} vCPU and {memory:g} GB, {'Graviton' if family == 'arm' else 'x86'}"
    if count - spot:
        yield Cost(f"{count - spot:g} Fargate tasks of {size}", times(one, count - spot), "at rest")
    if spot:
        yield Cost(
            f"{spot:g} Fargate Spot tasks of {size}",
            times(one, spot * SPOT_SHARE),
            "at rest; Spot costs about 70 % less, and its price moves",
        )
    network = row.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
    if network.get("AssignPublicIp") == "ENABLED":
        yield Cost(f"{count:g} public addresses of tasks", times(prices.month("ipv4"), count))


def _family(task: Row) -> str:
    found = task.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64")
    return "arm" if found == "ARM64" else "x86"


def _spot(row: Row, count: float) -> float:
    """How many of the copies run on Spot."""
    strategy = row.get("CapacityProviderStrategy") or []
    base = sum(float(s.get("Base", 0)) for s in strategy if s["CapacityProvider"] == "FARGATE")
    weight = sum(float(s.get("Weight", 0)) for s in strategy)
    spots = (s for s in strategy if s["CapacityProvider"] == "FARGATE_SPOT")
    spot = sum(float(s.get("Weight", 0)) for s in spots)
    return (count - min(base, count)) * spot / weight if weight else 0.0


def _cluster(row: Row, prices: Prices) -> Iterator[Cost]:
    settings = {s["Name"]: s["Value"] for s in row.get("ClusterSettings", ())}
    if settings.get("containerInsights", "disabled") == "disabled":
        return
    tasks = sum(1 for one in row.siblings() if one.type == "AWS::ECS::TaskDefinition")
    count = CLUSTER_METRICS + SERVICE_METRICS * tasks
    yield Cost(f"about {count} metrics of containers", times(prices.usd("metric month"), count))


def _nat(_: Row, prices: Prices) -> Iterator[Cost]:
    yield Cost("NAT gateway", prices.month("nat"))
    yield Cost(
        "what goes through it", times(prices.usd("nat GB"), GB_NAT), f"{GB_NAT:g} GB a month"
    )


def _address(_: Row, prices: Prices) -> Iterator[Cost]:
    yield Cost("public address", prices.month("ipv4"))


def _endpoint(row: Row, prices: Prices) -> Iterator[Cost]:
    if row.get("VpcEndpointType", "Gateway") == "Interface":
        zones = len(row.get("SubnetIds", ()))
        yield Cost(
            f"endpoint in {zones} zones", times(prices.month("endpoint zone"), zones), "little data"
        )


def _balancer(row: Row, prices: Prices) -> Iterator[Cost]:
    kind = "nlb" if row.get("Type") == "network" else "alb"
    yield Cost("balancer", prices.month(kind))
    yield Cost(
        "its capacity units", times(prices.month("lcu"), LCU), f"{LCU:g} units on the average"
    )
    if row.get("Scheme", "internet-facing") == "internet-facing":
        zones = len(row.get("Subnets", ()))
        yield Cost(f"{zones} public addresses", times(prices.month("ipv4"), zones))


def _cluster_of_aurora(row: Row, prices: Prices) -> Iterator[Cost]:
    tuned = row.get("StorageType") == "aurora-iopt1"
    storage = prices.usd("aurora iops GB month" if tuned else "aurora GB month")
    yield Cost("storage", times(storage, GB_DATABASE), f"{GB_DATABASE:g} GB")
    if not tuned:
        yield Cost(
            "input and output",
            times(prices.usd("aurora million io"), MILLION_IO),
            f"{MILLION_IO:g} million a month",
        )


def _instance(row: Row, prices: Prices) -> Iterator[Cost]:
    size = str(row.get("DBInstanceClass", ""))
    if size != "db.serverless":
        yield Cost(f"database server {size}", prices.month(size))
        return
    cluster = row.find(row.get("DBClusterIdentifier"))
    scaling = cluster.get("ServerlessV2ScalingConfiguration", {}) if cluster else {}
    least = float(scaling.get("MinCapacity", 0.5))
    yield Cost(
        f"serverless database server, {least:g} units at least",
        times(prices.month("aurora acu"), least),
        "at rest",
    )


def _proxy(_: Row, prices: Prices) -> Iterator[Cost]:
    yield Cost("database proxy", times(prices.month("rds proxy vcpu"), 4), "2 servers of 2 vCPU")


def _cache(row: Row, prices: Prices) -> Iterator[Cost]:
    groups, replicas = row.number("NumNodeGroups", 1), row.get("ReplicasPerNodeGroup")
    nodes = groups * (float(replicas) + 1) if replicas else row.number("NumCacheClusters", groups)
    size = str(row.get("CacheNodeType", ""))
    share = prices.usd("valkey share") if row.get("Engine") == "valkey" else 1.0
    yield Cost(f"{nodes:g} cache servers {size}", times(prices.month(size), nodes * (share or 1)))


def _search(row: Row, prices: Prices) -> Iterator[Cost]:
    config = row.get("ClusterConfig", {})
    nodes, size = float(config.get("InstanceCount", 1)), str(config.get("InstanceType", ""))
    yield Cost(f"{nodes:g} search servers {size}", times(prices.month(size), nodes))
    if config.get("DedicatedMasterEnabled"):
        count, kind = float(config.get("DedicatedMasterCount", 3)), config["DedicatedMasterType"]
        yield Cost(f"{count:g} dedicated masters {kind}", times(prices.month(str(kind)), count))
    size_gb = float(row.get("EBSOptions", {}).get("VolumeSize", 10))
    yield Cost(
        f"{nodes * size_gb:g} GB of disk", times(prices.usd("search gp3 GB month"), nodes * size_gb)
    )


def _firewall(row: Row, prices: Prices) -> Iterator[Cost]:
    rules = len(row.get("Rules", ()))
    yield Cost("web ACL", prices.usd("waf acl month"))
    yield Cost(f"{rules} rules", times(prices.usd("waf rule month"), rules))
    yield Cost(
        "requests", times(prices.usd("waf million"), REQUESTS_M), f"{REQUESTS_M:g} million a month"
    )


def _cdn(_: Row, prices: Prices) -> Iterator[Cost]:
    yield Cost("traffic", times(prices.usd("cloudfront GB"), GB_OUT), f"{GB_OUT:g} GB a month")
    yield Cost(
        "requests",
        times(prices.usd("cloudfront ten thousand"), REQUESTS_M * 100),
        f"{REQUESTS_M:g} million a month",
    )


def _flat(what: str, key: str, count: float = 1, assumes: str = "") -> Pricer:
    """A price that does not depend on the properties."""

    def price(_: Row, prices: Prices) -> Iterator[Cost]:
        yield Cost(what, times(prices.usd(key), count), assumes)

    return price


def _alarm(row: Row, prices: Prices) -> Iterator[Cost]:
    quick = row.number("Period", 60) < 60
    yield Cost("alarm", prices.usd("quick alarm month" if quick else "alarm month"))


def _queue(row: Row, prices: Prices) -> Iterator[Cost]:
    key = "sqs fifo million" if row.get("FifoQueue") else "sqs million"
    yield Cost("messages", times(prices.usd(key), REQUESTS_M), f"{REQUESTS_M:g} million requests")


PRICERS: Mapping[str, Pricer] = {
    "AWS::ECS::Service": _service,
    "AWS::ECS::Cluster": _cluster,
    "AWS::EC2::NatGateway": _nat,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::FlowLog": _flat("flow logs", "flow log GB", GB_LOGS, f"{GB_LOGS:g} GB a month"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::RDS::DBCluster": _cluster_of_aurora,
    "AWS::RDS::DBInstance": _instance,
    "AWS::RDS::DBProxy": _proxy,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::OpenSearchService::Domain": _search,
    "AWS::WAFv2::WebACL": _firewall,
    "AWS::CloudFront::Distribution": _cdn,
    "AWS::KMS::Key": _flat("encryption key", "kms key month"),
    "AWS::SecretsManager::Secret": _flat("secret", "secret month"),
    "AWS::Logs::LogGroup": _flat("logs", "log GB", GB_LOGS, f"{GB_LOGS:g} GB a month"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _flat("alarm of alarms", "alarm month", 5),
    "AWS::CloudWatch::Dashboard": _flat("dashboard", "dashboard month"),
    "AWS::S3::Bucket": _flat("storage", "s3 GB month", GB_OBJECTS, f"{GB_OBJECTS:g} GB"),
    "AWS::EFS::FileSystem": _flat("mails that wait", "efs GB month", GB_MAILS, f"{GB_MAILS:g} GB"),
    "AWS::ECR::Repository": _flat("images", "ecr GB month", GB_IMAGES, f"{GB_IMAGES:g} GB"),
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _flat("notices", "sns million", 0.01, "few"),
    "AWS::SES::EmailIdentity": _flat("mails", "mail thousand", 1, "1,000 a month"),
    "AWS::Route53::HostedZone": _flat("DNS zone", "zone month"),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": _flat("private DNS zone", "zone month"),
    "AWS::Route53::HealthCheck": _flat("health check", "health check month"),
    "AWS::GuardDuty::Detector": _flat("threat detection", "guardduty month", 1, "a small account"),
    "AWS::CloudTrail::Trail": _flat("audit trail", "s3 GB month", 1, "the first trail; 1 GB"),
    "AWS::Backup::BackupVault": _flat(
        "copies", "vault GB month", GB_DATABASE * 10, f"10 of {GB_DATABASE:g} GB"
    ),
    "AWS::Lambda::Function": _flat("calls", "lambda million", 0.1, "100,000 a month"),
}

FREE = frozenset(
    f"AWS::{name}"
    for name in """
    ApplicationAutoScaling::ScalableTarget ApplicationAutoScaling::ScalingPolicy Backup::BackupPlan
    Backup::BackupSelection Budgets::Budget CertificateManager::Certificate CloudFront::CachePolicy
    CloudFront::Function CloudFront::OriginAccessControl CloudFront::OriginRequestPolicy
    CloudFront::ResponseHeadersPolicy EC2::InternetGateway EC2::Route EC2::RouteTable EC2::SecurityGroup
    EC2::SecurityGroupEgress EC2::SecurityGroupIngress EC2::Subnet EC2::SubnetRouteTableAssociation EC2::VPC
    EC2::VPCGatewayAttachment ECR::ReplicationConfiguration ECR::RepositoryCreationTemplate
    ECS::ClusterCapacityProviderAssociations EFS::MountTarget ECS::TaskDefinition ElastiCache::ParameterGroup
    ElastiCache::SubnetGroup ElastiCache::User ElastiCache::UserGroup ElasticLoadBalancingV2::Listener
    ElasticLoadBalancingV2::ListenerRule ElasticLoadBalancingV2::TargetGroup Events::Rule
    IAM::InstanceProfile IAM::ManagedPolicy IAM::Policy IAM::Role IAM::ServiceLinkedRole IAM::User
    KMS::Alias Lambda::Permission Logs::Delivery Logs::DeliveryDestination Logs::DeliverySource
    Logs::MetricFilter Logs::ResourcePolicy Logs::SubscriptionFilter RDS::DBClusterParameterGroup
    RDS::DBParameterGroup RDS::DBProxyEndpoint RDS::DBProxyTargetGroup RDS::DBSubnetGroup
    RDS::EventSubscription Route53::RecordSet Route53::RecordSetGroup S3::BucketPolicy SES::ConfigurationSet
    SES::ConfigurationSetEventDestination SNS::Subscription SNS::TopicPolicy SQS::QueuePolicy
    SecretsManager::ResourcePolicy SecretsManager::RotationSchedule SecretsManager::SecretTargetAttachment
    ServiceDiscovery::HttpNamespace ServiceDiscovery::Service WAFv2::IPSet WAFv2::LoggingConfiguration
    WAFv2::WebACLAssociation
    """.split()  # noqa: SIM905
)
"""What AWS does not charge for by itself."""
