"""Rules of our own about templates, for what the linter does not look at: `findings` are of whole templates,
`broken` asks each resource of a type for a property; each of those is a phrase and a test."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cordillera.targets.aws import _web_acl
from cordillera.targets.aws._edge_word import HEADER

Resources = Mapping[str, Mapping[str, Any]]
DYNAMIC_REFERENCES_MAX = 60
"""CloudFormation resolves so many in one template."""


def findings(body: Mapping[str, Any]) -> list[str]:
    """What breaks a rule, a sentence each."""
    return [found for rule in RULES for found in rule(body["Resources"])]


def _logs_are_thrown_away(resources: Resources) -> Iterator[str]:
    for id, one in _of(resources, "AWS::Logs::LogGroup"):
        if "RetentionInDays" not in one:
            yield f"{id} keeps its lines for ever"


def _buckets_are_closed(resources: Resources) -> Iterator[str]:
    for id, one in _of(resources, "AWS::S3::Bucket"):
        if set(one.get("PublicAccessBlockConfiguration", {}).values()) != {True}:
            yield f"{id} may be made public"
        if "BucketEncryption" not in one:
            yield f"{id} is not encrypted"


def _alarms_tell_somebody(resources: Resources) -> Iterator[str]:
    for id, one in _of(resources, "AWS::CloudWatch::Alarm"):
        if not one.get("AlarmActions") and "Release" not in id:
            yield f"{id} tells nobody"
        if ("MetricName" in one) == ("Metrics" in one):
            yield f"{id} needs either a metric or a calculation"


def _firewalls_fit_and_log(resources: Resources) -> Iterator[str]:
    logged = json.dumps([one for _, one in _of(resources, "AWS::WAFv2::LoggingConfiguration")])
    for id, one in _of(resources, "AWS::WAFv2::WebACL"):
        used = _web_acl.units(one["Rules"])
        if used > _web_acl.UNITS_MAX:
            yield f"{id} takes {used} capacity units"
        if json.dumps({"Fn::GetAtt": [id, "Arn"]}) not in logged:
            yield f"{id} is not logged"
        if len({rule["Priority"] for rule in one["Rules"]}) < len(one["Rules"]):
            yield f"{id} has two rules of the same priority"
    for id, one in _of(resources, "AWS::WAFv2::LoggingConfiguration"):
        hidden = {f["SingleHeader"]["Name"] for f in one.get("RedactedFields", ())}
        if not {"authorization", "cookie", HEADER} <= hidden:
            yield f"{id} writes down what visitors keep secret"


def _edge_speaks_tls(resources: Resources) -> Iterator[str]:
    for id, one in _of(resources, "AWS::CloudFront::Distribution"):
        config = one["DistributionConfig"]
        if "WebACLId" not in config:
            yield f"{id} has no firewall"
        if config.get("Aliases") and (
            config["ViewerCertificate"]["MinimumProtocolVersion"] != "TLSv1.2_2021"
        ):
            yield f"{id} speaks old TLS"
        for behaviour in (config["DefaultCacheBehavior"], *config.get("CacheBehaviors", ())):
            if behaviour["ViewerProtocolPolicy"] != "redirect-to-https":
                yield f"{id} answers in clear"


def _data_outlives_its_stack(resources: Resources) -> Iterator[str]:
    kinds = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Backup::BackupVault")
    for id, one in resources.items():
        if one["Type"] in kinds and one.get("DeletionPolicy") != "RetainExceptOnCreate":
            yield f"{id} goes with its stack"


def _rights_are_named(resources: Resources) -> Iterator[str]:
    for id, one in _of(resources, "AWS::IAM::Role"):
        for policy in one.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                if any(
                    action in ("*", "iam:*") or action.endswith(":*")
                    for action in statement["Action"]
                ):
                    yield f"{id} may do anything"


def _secrets_are_few(resources: Resources) -> Iterator[str]:
    count = json.dumps(resources).count("{{resolve:")
    if count > DYNAMIC_REFERENCES_MAX:
        yield f"{count} dynamic references"


def _clusters_say_what_they_are(resources: Resources) -> Iterator[str]:
    for kind in ("AWS::RDS::DBCluster", "AWS::ElastiCache::ReplicationGroup"):
        for id, one in _of(resources, kind):
            if "Engine" not in one:
                yield f"{id} has no Engine"


def _of(resources: Resources, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((id, one.get("Properties", {})) for id, one in resources.items() if one["Type"] == kind)


RULES: tuple[Callable[[Resources], Iterator[str]], ...] = (
    _logs_are_thrown_away,
    _buckets_are_closed,
    _alarms_tell_somebody,
    _firewalls_fit_and_log,
    _edge_speaks_tls,
    _data_outlives_its_stack,
    _rights_are_named,
    _secrets_are_few,
    _clusters_say_what_they_are,
)


Properties = Mapping[str, Any]
Rule = tuple[str, str, Callable[[Properties], object]]

OPEN = ("0.0.0.0/0", "::/0")


def _closed(p: Properties) -> bool:
    block = p.get("PublicAccessBlockConfiguration", {})
    return len(block) == 4 and all(block.values())


def _guarded(p: Properties) -> bool:
    return all(
        one.get("CidrIp") not in OPEN or one.get("FromPort") in (80, 443)
        for one in p.get("SecurityGroupIngress", ())
    )


def _all(*names: str) -> Callable[[Properties], object]:
    return lambda p: all(p.get(name) for name in names)


def _replicated(p: Properties) -> bool:
    over = p.get("MultiAZEnabled") and p.get("AutomaticFailoverEnabled")
    return bool(over) and p.get("NumCacheClusters", 0) > 1


def _managed(p: Properties) -> bool:
    return bool(p.get("ManageMasterUserPassword")) and "MasterUserPassword" not in p


def _voting(p: Properties) -> bool:
    servers = p["ClusterConfig"]
    return bool(servers["InstanceCount"] >= 3 or servers.get("DedicatedMasterCount") == 3)


def _in_its_zones(p: Properties) -> bool:
    servers = p["ClusterConfig"]
    zones = servers["ZoneAwarenessConfig"]["AvailabilityZoneCount"]
    return bool(servers["ZoneAwarenessEnabled"]) and len(p["VPCOptions"]["SubnetIds"]) == zones


def _versioned(p: Properties) -> bool:
    return bool(p.get("VersioningConfiguration", {}).get("Status") == "Enabled")


DATABASE, CACHE = "AWS::RDS::DBCluster", "AWS::ElastiCache::ReplicationGroup"
SEARCH, BUCKET = "AWS::OpenSearchService::Domain", "AWS::S3::Bucket"
HELD: tuple[Rule, ...] = (
    (DATABASE, "an engine", _all("Engine", "EngineVersion")),
    (DATABASE, "encryption with a key of ours", _all("StorageEncrypted", "KmsKeyId")),
    (DATABASE, "deletion protection", _all("DeletionProtection")),
    (DATABASE, "a managed password", _managed),
    (DATABASE, "backups", _all("BackupRetentionPeriod", "PreferredBackupWindow")),
    ("AWS::RDS::DBInstance", "no public address", lambda p: p.get("PubliclyAccessible") is False),
    (CACHE, "TLS and a password", _all("TransitEncryptionEnabled", "AuthToken")),
    (CACHE, "encryption", _all("AtRestEncryptionEnabled", "KmsKeyId")),
    (CACHE, "a replica that takes over", _replicated),
    (SEARCH, "three voters", _voting),
    (SEARCH, "as many subnets as zones", _in_its_zones),
    (BUCKET, "encryption", _all("BucketEncryption")),
    (BUCKET, "no public access", _closed),
    (BUCKET, "versions", _versioned),
    ("AWS::SQS::Queue", "encryption", _all("KmsMasterKeyId")),
    ("AWS::SNS::Topic", "encryption", _all("KmsMasterKeyId")),
    ("AWS::Logs::LogGroup", "an end of its logs", _all("RetentionInDays")),
    ("AWS::SecretsManager::Secret", "a key of ours", _all("KmsKeyId")),
    ("AWS::EC2::SecurityGroup", "nothing open but 80 and 443", _guarded),
)

WEIGHED = {"EdgeAlarms": "where the environment's key is in another region it names alarms only"}
POLICIES = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
}
"""Type -> the type of its policy, and the property that names what it is for."""


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Every rule that a template breaks, with the resource that does."""
    resources: Mapping[str, Any] = body["Resources"]
    for id, one in resources.items():
        for kind, what, holds in HELD:
            if one["Type"] == kind and id not in WEIGHED and not holds(one.get("Properties", {})):
                yield f"{id} has not: {what}"
    yield from _without_tls(resources)
    yield from _without_redrive(resources)


def _without_tls(resources: Mapping[str, Any]) -> Iterator[str]:
    for id, one in resources.items():
        if one["Type"] not in POLICIES:
            continue
        kind, key = POLICIES[one["Type"]]
        mark = {"Ref": id}
        mine = [
            r["Properties"]
            for r in resources.values()
            if r["Type"] == kind and mark in (r["Properties"][key], *_listed(r["Properties"][key]))
        ]
        if "aws:SecureTransport" not in str(mine):
            yield f"{id} has not: a policy that refuses requests without TLS"


def _without_redrive(resources: Mapping[str, Any]) -> Iterator[str]:
    """A queue for dead letters to which no queue sends any."""
    sent = str([one.get("Properties", {}).get("RedrivePolicy") for one in resources.values()])
    for id, one in resources.items():
        if one["Type"] == "AWS::SQS::Queue" and id.endswith("DeadQueue") and f"'{id}'" not in sent:
            yield f"{id} has not: a queue that sets messages aside in it"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
