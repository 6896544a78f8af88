"""What Cordillera must be allowed in an account: out of the calls that the code makes, and of what
CloudFormation needs for the types of resources that templates hold. Each action is scoped to names or tags
of Cordillera's own where AWS can.

The table (`permissions.json`) is written by `python -m tests.targets.aws.permissions`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from cordillera.targets.aws._policy import VERSION
from cordillera.targets.aws._site import ENVIRONMENT_TAG

LETTERS_MAX = 6144
"""What IAM takes as one managed policy, white space not counted."""

EVERYWHERE = ("*",)
NAMED: Mapping[str, tuple[str, ...]] = {
    "cloudformation": (
        "arn:aws:cloudformation:*:*:stack/cordillera-*/*",
        "arn:aws:cloudformation:*:*:changeSet/cordillera-*/*",
    ),
    "cloudwatch": (
        "arn:aws:cloudwatch:*:*:alarm:cordillera-*",
        "arn:aws:cloudwatch:*:*:alarm:TargetTracking-service/cordillera-*",
        "arn:aws:cloudwatch::*:dashboard/cordillera-*",
    ),
    "ecr": ("arn:aws:ecr:*:*:repository/cordillera/*",),
    "ecs": (
        "arn:aws:ecs:*:*:cluster/cordillera-*",
        "arn:aws:ecs:*:*:service/cordillera-*/*",
        "arn:aws:ecs:*:*:task/cordillera-*/*",
        "arn:aws:ecs:*:*:container-instance/cordillera-*/*",
        "arn:aws:ecs:*:*:task-definition/cordillera-*:*",
    ),
    "iam": (
        "arn:aws:iam::*:role/cordillera-*",
        "arn:aws:iam::*:role/aws-service-role/*",
        "arn:aws:iam::*:user/cordillera-*",
    ),
    "logs": (
        "arn:aws:logs:*:*:log-group:cordillera-*",
        "arn:aws:logs:*:*:log-group:cordillera-*:*",
        "arn:aws:logs:*:*:log-group:aws-waf-logs-cordillera-*",
        "arn:aws:logs:*:*:log-group:/aws/rds/cluster/cordillera-*",
        "arn:aws:logs:*:*:delivery-source:cordillera-*",
        "arn:aws:logs:*:*:delivery-destination:cordillera-*",
    ),
    "s3": ("arn:aws:s3:::cordillera-*", "arn:aws:s3:::cordillera-*/*"),
    "ssm": ("arn:aws:ssm:*:*:parameter/cordillera/*",),
    "sns": ("arn:aws:sns:*:*:cordillera-*",),
    "sqs": ("arn:aws:sqs:*:*:cordillera-*",),
    "rds": ("arn:aws:rds:*:*:*:cordillera-*",),
    "rds-data": ("arn:aws:rds:*:*:cluster:cordillera-*",),
    "es": ("arn:aws:es:*:*:domain/cordillera-*",),
    "cloudtrail": ("arn:aws:cloudtrail:*:*:trail/cordillera*",),
    "budgets": ("arn:aws:budgets::*:budget/cordillera-*",),
    "events": ("arn:aws:events:*:*:rule/cordillera-*",),
    "lambda": ("arn:aws:lambda:*:*:function:cordillera-*",),
}
"""Service -> the resources that bear our name. CloudFormation begins their names with the stack's."""

TAGGED = frozenset(
    """
    secretsmanager kms ec2 elasticfilesystem elasticloadbalancing servicediscovery elasticache backup
    cloudfront ses wafv2
    """.split()  # noqa: SIM905
)
"""Services whose resources get names of no pattern, and carry the environment's tag."""

READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck", "Simulate")
OPENS = frozenset({"secretsmanager:GetSecretValue", "kms:Decrypt", "kms:CreateGrant"})
"""What leads to the data itself: never without a tag."""

WITHOUT_RESOURCE = frozenset(
    """
    cloudwatch:DescribeAlarms cloudwatch:GetMetricData cloudwatch:GetMetricStatistics
    cloudwatch:ListMetrics cloudwatch:ListDashboards
    cloudformation:DescribeStackDriftDetectionStatus cloudformation:ListStacks
    cloudtrail:DescribeTrails ecr:CreateRepositoryCreationTemplate ecr:DeleteRepositoryCreationTemplate
    ecr:DescribeRepositories
    ecr:DescribeRegistry ecr:DescribeRepositoryCreationTemplates ecr:GetAuthorizationToken
    ecr:PutRegistryPolicy ecr:PutReplicationConfiguration ecr:UpdateRepositoryCreationTemplate
    ecs:CreateCluster ecs:DeregisterTaskDefinition
    ecs:DescribeTaskDefinition ecs:ListTaskDefinitions ecs:ListClusters ecs:RegisterTaskDefinition
    ecs:ListServices ecs:ListTasks ecs:PutAccountSetting iam:ListRoles iam:SimulatePrincipalPolicy
    logs:DescribeLogGroups logs:DescribeResourcePolicies logs:PutResourcePolicy
    logs:DeleteResourcePolicy logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery
    logs:DeleteLogDelivery logs:ListLogDeliveries logs:DescribeQueryDefinitions
    logs:CreateDelivery logs:GetDelivery logs:UpdateDeliveryConfiguration logs:DeleteDelivery
    s3:ListAllMyBuckets sns:ListSubscriptions sns:ListTopics sqs:ListQueues ssm:DescribeParameters
    rds:DescribeEvents rds:DescribeDBClusters
    """.split()  # noqa: SIM905
)
"""Actions of services above that AWS does not scope to a resource, or that look before anything is there."""

CREATES = ("Create", "Allocate", "Register", "Tag", "AddTags")
"""What is new has no tag yet. Everything else on a tagged service needs the tag."""
MASTERS: dict[str, Any] = {
    "Effect": "Allow",
    "Action": ["secretsmanager:GetSecretValue"],
    "Resource": ["arn:aws:secretsmanager:*:*:secret:rds!cluster-*"],
    "Condition": {
        "ArnLike": {
            "aws:ResourceTag/aws:rds:primaryDBClusterArn": "arn:aws:rds:*:*:cluster:cordillera-*"
        }
    },
}
"""The master's password of a database of ours, which RDS makes and tags itself."""

PASSED = tuple(
    f"{name}.amazonaws.com"
    for name in """
    ecs ecs-tasks vpc-flow-logs backup monitoring.rds rds lambda events s3 cloudtrail
    application-autoscaling ecs.application-autoscaling
    """.split()  # noqa: SIM905
)


@cache
def table() -> Mapping[str, Any]:
    """`calls` are actions of the code's own calls, `types` those of CloudFormation per type."""
    text = (resources.files("cordillera.targets.aws") / "permissions.json").read_text()
    made: dict[str, Any] = json.loads(text)
    return made


def needed(types: Iterable[str]) -> list[str]:
    """The actions that these types of resources and our own calls need."""
    found = set(table()["calls"])
    for one in types:
        found.update(table()["types"].get(one, ()))
    return sorted(found)


def anywhere(action: str) -> bool:
    """Whether the policy allows an action without a condition and for every resource."""
    return _scope(action) == (EVERYWHERE, "")


def statements(actions: Iterable[str]) -> list[dict[str, Any]]:
    """Statements that allow these actions, each in its scope. Pure."""
    groups: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for action in sorted(set(actions)):
        groups.setdefault(_scope(action), []).append(action)
    return [_statement(where, condition, found) for (where, condition), found in groups.items()]


def pieces() -> list[dict[str, Any]]:
    """Everything, as policies of the size that IAM takes."""
    made: list[list[dict[str, Any]]] = [[]]
    for one in [*statements(needed(table()["types"])), MASTERS]:
        for small in _split(one):
            if _letters([*made[-1], small]) > LETTERS_MAX and made[-1]:
                made.append([])
            made[-1].append(small)
    return [{"Version": VERSION, "Statement": found} for found in made]


def _scope(action: str) -> tuple[tuple[str, ...], str]:
    """(resources, condition) of an action: `tag`, `new` or `pass`."""
    service, verb = action.split(":")
    if action == "iam:PassRole":
        return NAMED["iam"][:2], "pass"
    if action == "iam:CreateServiceLinkedRole":
        return (NAMED["iam"][1],), ""
    if action in WITHOUT_RESOURCE:
        return EVERYWHERE, ""
    if service in NAMED:
        return NAMED[service], ""
    if action in OPENS:
        return EVERYWHERE, "tag"
    if service not in TAGGED or verb.startswith(READS):
        return EVERYWHERE, ""
    return EVERYWHERE, "" if verb.startswith(CREATES) or verb in UNTAGGED else "tag"


UNTAGGED = frozenset(
    """
    AssociateRouteTable DisassociateRouteTable AssociateAddress DisassociateAddress
    AttachInternetGateway DetachInternetGateway ReleaseAddress ReplaceRoute DeleteRoute DeleteAlias
    UpdateAlias GetRandomPassword DeleteFlowLogs DisassociateNatGatewayAddress
    UpdateCachePolicy DeleteCachePolicy UpdateOriginAccessControl DeleteOriginAccessControl
    UpdateResponseHeadersPolicy DeleteResponseHeadersPolicy
    """.split()  # noqa: SIM905
)
"""Actions on two resources of which one has no tag, or that AWS does not condition on tags."""


def _statement(where: tuple[str, ...], condition: str, actions: list[str]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if condition == "tag":
        more = {"Condition": {"Null": {f"aws:ResourceTag/{ENVIRONMENT_TAG}": "false"}}}
    if condition == "pass":
        more = {"Condition": {"StringEquals": {"iam:PassedToService": list(PASSED)}}}
    return {"Effect": "Allow", "Action": actions, "Resource": list(where), **more}


def _split(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A statement that is too long alone, as several."""
    if _letters([statement]) <= LETTERS_MAX:
        yield statement
        return
    actions = statement["Action"]
    half = len(actions) // 2
    for some in (actions[:half], actions[half:]):
        yield from _split({**statement, "Action": some})


def _letters(found: list[dict[str, Any]]) -> int:
    return len(json.dumps({"Version": VERSION, "Statement": found}, separators=(",", ":")))
