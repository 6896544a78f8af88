"""The policy: complete (every call of the emulator tests is looked up, see conftest), and no wider."""

import json

import pytest

from cordillera.targets.aws import _permissions
from tests.targets.aws import permissions

OURS = ("cordillera", "aws-service-role")


def test_the_table_is_fresh() -> None:
    assert permissions.TABLE.read_text() == permissions.text(), (
        "run python -m tests.targets.aws.permissions"
    )


def test_every_type_of_the_templates_tells_what_it_needs() -> None:
    table = _permissions.table()["types"]

    assert [kind for kind, actions in table.items() if not actions] == []


def test_every_allowed_action_is_reached_by_a_call_or_a_type() -> None:
    table = _permissions.table()
    reached = permissions.calls() | {
        a for kind in table["types"] for a in permissions.of_type(kind)
    }

    allowed = {
        a for piece in _permissions.pieces() for s in piece["Statement"] for a in s["Action"]
    }

    assert allowed == reached
    assert [action for action in allowed if not permissions.exists(action)] == []


def test_pieces_are_of_the_size_that_iam_takes() -> None:
    pieces = _permissions.pieces()

    assert all(len(json.dumps(p, separators=(",", ":"))) <= 6144 for p in pieces)
    assert len(pieces) <= 10  # as many as a role takes


@pytest.mark.parametrize("service", _permissions.NAMED)
def test_what_bears_our_name_is_all_that_may_be_changed(service: str) -> None:
    for piece in _permissions.pieces():
        for one in piece["Statement"]:
            for action in one["Action"]:
                if action.startswith(f"{service}:") and action not in _permissions.WITHOUT_RESOURCE:
                    assert all(any(our in r for our in OURS) for r in one["Resource"]), action


def test_nothing_of_the_account_is_deleted_without_our_name_or_tag() -> None:
    loose = {
        action
        for piece in _permissions.pieces()
        for one in piece["Statement"]
        if one["Resource"] == ["*"] and "Condition" not in one
        for action in one["Action"]
        if action.split(":")[1].startswith(("Delete", "Terminate", "Schedule"))
    }

    assert loose <= LOOSE, loose - LOOSE


LOOSE = {
    "acm:DeleteCertificate",  # ACM's resources have neither names nor, for this action, tags
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeleteScheduledAction",
    "logs:DeleteLogDelivery",
    "logs:DeleteResourcePolicy",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteRoute",
    "kms:DeleteAlias",
    "cloudfront:DeleteCachePolicy",
    "cloudfront:DeleteOriginAccessControl",
    "cloudfront:DeleteResponseHeadersPolicy",
    "ecr:DeleteRepositoryCreationTemplate",
    "guardduty:DeleteDetector",  # one an account; its identifier is AWS's
    "logs:DeleteDelivery",
    "route53:DeleteHealthCheck",
}
"""Deletions that AWS does not scope, or whose resource has no name and no tag of ours."""


def test_roles_are_passed_to_services_of_aws_only() -> None:
    passing = [
        one
        for piece in _permissions.pieces()
        for one in piece["Statement"]
        if "iam:PassRole" in one["Action"]
    ]

    assert len(passing) == 1
    assert (
        "ecs-tasks.amazonaws.com" in passing[0]["Condition"]["StringEquals"]["iam:PassedToService"]
    )


@pytest.mark.parametrize(
    "action",
    [
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "kms:Decrypt",
        "kms:PutKeyPolicy",
    ],
)
def test_secrets_and_keys_are_used_by_tag_only(action: str) -> None:
    for piece in _permissions.pieces():
        for one in piece["Statement"]:
            if action in one["Action"] and one != _permissions.MASTERS:
                assert one["Condition"] == {
                    "Null": {"aws:ResourceTag/cordillera:environment": "false"}
                }
