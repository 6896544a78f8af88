"""Alarms of resources, told by the types of their parts: whoever builds a database need not know them.

Pure. A part of a type that is not listed has no alarms.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from troposphere import Sub

from cordillera.targets.aws._alarms import Alarm, Metric
from cordillera.targets.aws._parts import AwsPart, Parts, ref
from cordillera.targets.aws._refs import Ref, camel, text

BUSY_PERCENT, FULL_PERCENT = 90.0, 90.0
LAG_MS, WAITING_S, FREE_MB = 5000.0, 900.0, 2048.0
BOUNCED, COMPLAINED = 0.05, 0.001
"""Shares of all mails at which SES begins to look at an account."""


def of(parts: Parts) -> Iterator[Alarm]:
    """The alarms of all parts that have some."""
    dead = _dead_letters(parts)
    for one in parts:
        if (one.unit, one.name) in dead:
            yield _dead_letter(one)
        elif one.body.type in ALARMS:
            yield from ALARMS[one.body.type](one)


def _database(one: AwsPart) -> Iterator[Alarm]:
    cluster = {"DBClusterIdentifier": ref(one)}
    writer = {**cluster, "Role": "WRITER"}
    yield Alarm(
        camel(one.name, "busy"),
        f"database {one.name}: the writer's CPU in percent",
        Metric("AWS/RDS", "CPUUtilization", writer),
        above=BUSY_PERCENT,
    )
    yield Alarm(
        camel(one.name, "lags"),
        f"database {one.name}: milliseconds that the slowest reader is behind",
        Metric("AWS/RDS", "AuroraReplicaLagMaximum", cluster, "Maximum"),
        above=LAG_MS,
    )


def _queue(one: AwsPart) -> Iterator[Alarm]:
    yield Alarm(
        camel(one.name, "waits"),
        f"queue {one.name}: seconds that the oldest message has waited",
        Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", _queue_name(one), "Maximum"),
        above=WAITING_S,
    )


def _dead_letter(one: AwsPart) -> Alarm:
    return Alarm(
        camel(one.name, "has-dead-letters"),
        f"queue {one.name}: messages that nobody could work on",
        Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", _queue_name(one), "Maximum"),
        above=0,
        minutes=1,
    )


def _queue_name(one: AwsPart) -> Mapping[str, Any]:
    return {"QueueName": ref(one, "QueueName")}


def _dead_letters(parts: Parts) -> set[tuple[str, str]]:
    """Queues that others set their messages aside in."""
    found = set[tuple[str, str]]()
    for one in parts:
        if one.body.type == "AWS::SQS::Queue":
            policy = one.body.properties.get("RedrivePolicy", {})
            target = policy.get("deadLetterTargetArn")
            if isinstance(target, Ref):
                found.add((target.unit, target.id))
    return found


def _cache(one: AwsPart) -> Iterator[Alarm]:
    for number in range(1, int(one.body.properties.get("NumCacheClusters", 1)) + 1):
        node = {"CacheClusterId": text(ref(one), f"-{number:03}")}
        yield Alarm(
            camel(one.name, "busy", str(number)),
            f"cache {one.name}, node {number}: CPU of the engine in percent",
            Metric("AWS/ElastiCache", "EngineCPUUtilization", node),
            above=BUSY_PERCENT,
        )
        yield Alarm(
            camel(one.name, "full", str(number)),
            f"cache {one.name}, node {number}: memory in percent",
            Metric("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", node),
            above=FULL_PERCENT,
        )


def _search(one: AwsPart) -> Iterator[Alarm]:
    domain = {"DomainName": ref(one), "ClientId": Sub("${AWS::AccountId}")}
    yield Alarm(
        camel(one.name, "lost-shards"),
        f"search {one.name}: an index has lost all copies of a part",
        Metric("AWS/ES", "ClusterStatus.red", domain, "Maximum"),
        above=0,
        minutes=2,
    )
    yield Alarm(
        camel(one.name, "full"),
        f"search {one.name}: megabytes free on the fullest node",
        Metric("AWS/ES", "FreeStorageSpace", domain, "Minimum"),
        below=FREE_MB,
    )


def _mail(one: AwsPart) -> Iterator[Alarm]:
    rules = {"ses:configuration-set": ref(one)}
    yield Alarm(
        camel(one.name, "bounces"),
        f"mail {one.name}: share of mails that came back",
        Metric("AWS/SES", "Reputation.BounceRate", rules, "Maximum"),
        above=BOUNCED,
    )
    yield Alarm(
        camel(one.name, "complaints"),
        f"mail {one.name}: share of mails that were called spam",
        Metric("AWS/SES", "Reputation.ComplaintRate", rules, "Maximum"),
        above=COMPLAINED,
    )


ALARMS: Mapping[str, Callable[[AwsPart], Iterator[Alarm]]] = {
    "AWS::RDS::DBCluster": _database,
    "AWS::SQS::Queue": _queue,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::OpenSearchService::Domain": _search,
    "AWS::SES::ConfigurationSet": _mail,
}
