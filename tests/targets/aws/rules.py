"""Rules of our own about templates, for what the linter does not look at."""

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
