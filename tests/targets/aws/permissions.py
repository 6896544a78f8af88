"""Writes the table of permissions: out of the calls in the target's code and of CloudFormation's schemas.

`python -m tests.targets.aws.permissions` writes it; a test tells when it is stale.
"""

import ast
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.targets.aws import examples

SOURCES = Path(__file__).parents[3] / "src/cordillera/targets/aws"
TABLE = SOURCES / "permissions.json"
REGION = "us-east-1"
PREFIX = {
    "elbv2": "elasticloadbalancing",
    "sesv2": "ses",
    "opensearch": "es",
    "service-quotas": "servicequotas",
    "application-autoscaling": "application-autoscaling",
}
NAMES = {
    "s3:HeadBucket": ["s3:ListBucket"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "s3:PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "s3:PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
    "s3:GetBucketReplication": ["s3:GetReplicationConfiguration"],
    "s3:ListBuckets": ["s3:ListAllMyBuckets"],
    "sts:GetCallerIdentity": [],  # nobody can be denied it
}
"""Calls whose permission has another name."""

BESIDES = {
    "ecs:RunTask": ["iam:PassRole", "ecs:TagResource"],
    "cloudformation:CreateChangeSet": ["s3:GetObject", "cloudformation:TagResource"],
    "cloudformation:DetectStackDrift": ["cloudformation:DetectStackResourceDrift"],
    "ecr:GetAuthorizationToken": [  # with it a container engine pushes
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ],
    "secretsmanager:CreateSecret": ["secretsmanager:TagResource"],
    "secretsmanager:GetSecretValue": ["kms:Decrypt"],
}
"""Calls that need more than themselves."""


def text() -> str:
    """The table as it should be."""
    made = {"calls": sorted(calls()), "types": {t: of_type(t) for t in sorted(types())}}
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


@cache
def calls() -> frozenset[str]:
    """The actions of every call that the sources make."""
    found: set[str] = set()
    for path in SOURCES.glob("*.py"):
        tree = ast.parse(path.read_text())
        for service in _services(tree):
            for verb in _verbs(tree) & operations(service).keys():
                found |= set(actions(service, verb))
    return frozenset(found)


def actions(service: str, verb: str) -> list[str]:
    """What a call of the SDK must be allowed."""
    action = f"{PREFIX.get(service, service)}:{operations(service)[verb]}"
    return [*NAMES.get(action, [action]), *BESIDES.get(action, [])]


@cache
def operations(service: str) -> dict[str, str]:
    """Verb of the SDK -> operation."""
    from botocore import xform_name

    model = _sdk().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@cache
def _sdk() -> Any:
    from botocore.session import get_session

    return get_session()


@cache
def _known() -> frozenset[str]:
    """Every service of the SDK."""
    return frozenset(_sdk().get_available_services())


def types() -> set[str]:
    """The types that templates of the examples hold, however they reach the outside."""
    found: set[str] = set()
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"network": {"outbound": "none", "endpoints": ["ecr-api"]}},
        {"watch": {"budget": 500, "webhook": "https://alarms.acme.example/hook"}},
        {"edge": examples.LISTED},
    )
    mail = {"from": "news@acme.example", "providers": ["ses"]}
    newsrooms = (
        {"resources": {"mail": mail, "db": {"proxy": True}}},
        {"resources": {"mail": examples.TWO_PROVIDERS}},
    )
    for app in examples.OVERLAYS:
        for more in (*variants, *(newsrooms if app == "newsroom" else ())):
            with tempfile.TemporaryDirectory() as place:
                for one in examples.templates(app, Path(place), **more).values():
                    found |= {r["Type"] for r in one.body["Resources"].values()}
    return found


def of_type(kind: str) -> list[str]:
    """What CloudFormation needs to make, read, change and delete one."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    handlers = schema.get("handlers", {})
    found = {
        action
        for name in ("create", "read", "update", "delete")
        for action in handlers.get(name, {}).get("permissions", ())
    }
    found |= set(schema.get("tagging", {}).get("permissions", ()))
    found |= set(WITHOUT_HANDLERS.get(kind, ()))
    found = {a.replace("CloudTrail:", "cloudtrail:") for a in found}
    return sorted(a for a in found if exists(a) and not a.startswith(UNUSED))


def exists(action: str) -> bool:
    """Whether IAM knows it. Schemas also name some that it does not, such as s3:REST.PUT.OBJECT."""
    service, _, verb = action.partition(":")
    return verb.lower() in _named_by_iam().get(service.lower(), {}).get("Actions", {})


@cache
def _named_by_iam() -> dict[str, Any]:
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    found: dict[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
    return found


UNUSED = (
    "acm-pca:",
    "amplify:",
    "apigateway:",
    "apprunner:",
    "appsync:",
    "autoloop:",
    "bedrock-agentcore:",
    "codewhisperer:",
    "cognito-idp:",
    "ec2:CreateVpcEncryptionControl",
    "ec2:DeleteVpcEncryptionControl",
    "firehose:",
    "s3tables:",
    "vpc-lattice:",
    "vpce:",
    "workmail:",
)
"""What schemas name for settings that our templates never have."""

WITHOUT_HANDLERS: dict[str, tuple[str, ...]] = {
    "AWS::Logs::DeliverySource": ("cloudfront:AllowVendedLogDeliveryForResource",),
}
"""Types whose schema does not tell all that they need."""


def _services(tree: ast.AST) -> Iterator[str]:
    known = _known()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            name = call.func.id if isinstance(call.func, ast.Name) else name
            if name in ("client", "_count"):
                texts = (str(a.value) for a in call.args if isinstance(a, ast.Constant))
                yield from (text for text in texts if text in known)


def _verbs(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


if __name__ == "__main__":
    TABLE.write_text(text())
    print(f"{TABLE.name}: {len(json.loads(TABLE.read_text())['calls'])} actions of calls")
