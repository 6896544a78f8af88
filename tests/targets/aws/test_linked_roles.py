"""Service-linked roles: made once per account, before what needs them, left by everybody."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Effect, Place
from cordillera.core.errors import CordilleraError, Refused
from cordillera.targets.aws import _draft, _linked_roles, _preflight, _stack
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._linked_roles import BY_TYPE, ECS
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import ACCOUNT, site_of
from tests.targets.aws import answers, examples
from tests.targets.aws.answers import Refusal
from tests.targets.aws.applied import up
from tests.targets.aws.test_preflight import GOOD

AT = Place(examples.ENVIRONMENT, "us-east-1")
CREATE, SIMULATE = "iam.CreateServiceLinkedRole", "iam.SimulatePrincipalPolicy"
NEW: dict[str, Any] = {
    "cloudformation__DescribeStacks": Refusal("ValidationError", "Stack x does not exist"),
    "sts__GetCallerIdentity": {"Account": "111111111111"},
    "guardduty__ListDetectors": {"DetectorIds": []},
    "cloudtrail__DescribeTrails": {"trailList": []},
}
"""What an account answers that holds nothing."""


def draft(app: str, to: Path) -> _draft.Draft:
    want = examples.wanted(app, to)
    made = _draft.draft(want, site_of(want))
    _draft.offline(made, {})
    return made


def held(*services: str) -> dict[str, Any]:
    """IAM's list of the service-linked roles of these services."""
    return {
        "Roles": [
            {
                "Path": f"/aws-service-role/{service}/",
                "RoleName": "AWSServiceRoleForSomething",
                "RoleId": "AROA0000000000000000",
                "Arn": f"arn:aws:iam::111111111111:role/aws-service-role/{service}/x",
                "CreateDate": datetime.now(UTC),
            }
            for service in services
        ]
    }


@pytest.mark.parametrize("app", sorted(examples.OVERLAYS))
def test_they_are_there_before_the_first_stack_that_needs_one(app: str, tmp_path: Path) -> None:
    made = examples.templates(app, tmp_path)

    first, *_ = _stack.waves(made)

    assert ACCOUNT in first
    for unit in first:
        assert not {r["Type"] for r in made[unit].body["Resources"].values()} & BY_TYPE.keys()


def test_only_what_the_environment_needs_and_the_account_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draft("newsroom", tmp_path)
    there = held("ecs.amazonaws.com", "rds.amazonaws.com", "support.amazonaws.com")
    answers.install(monkeypatch, iam__ListRoles=there)

    found = _linked_roles.missing(made.types, Live(made.site))

    assert [role.service.removesuffix(".amazonaws.com") for role in found] == [
        "ecs.application-autoscaling",
        "elasticloadbalancing",
        "elasticache",
        "opensearchservice",
    ]
    hello = _linked_roles.missing(draft("hello", tmp_path / "2").types, Live(made.site))
    assert [role.name for role in hello] == ["AWSServiceRoleForElasticLoadBalancing"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidInput", "Service role name AWSServiceRoleForECS has been taken in this account"),
        ("EntityAlreadyExists", ""),
    ],
)
def test_one_that_somebody_made_meanwhile_is_as_good(
    code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_linked_roles, "SETTLES_S", 3600.0)  # nothing was made, nothing settles
    aws = answers.install(monkeypatch, iam__CreateServiceLinkedRole=Refusal(code, message))

    _linked_roles.make([ECS], Live(draft("hello", tmp_path).site))

    assert aws.count(CREATE) == 1


def test_one_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no = Refusal("InvalidInput", "Cannot find Service Linked Role template")
    answers.install(monkeypatch, iam__CreateServiceLinkedRole=no)

    with pytest.raises(CordilleraError, match="Cannot find Service Linked Role template"):
        _linked_roles.make([ECS], Live(draft("hello", tmp_path).site))


def simulated(asked: Any) -> Any:
    """What an account answers whose policy allows all but service-linked roles of ECS."""
    arns = asked.get("ResourceArns", ["*"])
    denied = any("/ecs.amazonaws.com/" in arn for arn in arns)
    decision = "implicitDeny" if denied else "allowed"
    return {
        "EvaluationResults": [
            {"EvalActionName": name, "EvalDecision": decision, "MatchedStatements": [{}]}
            for name in asked["ActionNames"]
        ]
    }


def test_before_anything_is_touched_it_is_told_that_one_may_not_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draft("hello", tmp_path)
    made.linked_roles = tuple(_linked_roles.needed(made.types))
    aws = answers.install(monkeypatch, **{**GOOD, "iam__SimulatePrincipalPolicy": simulated})

    with pytest.raises(Refused) as found:
        _preflight.look(made)

    assert "the account has no AWSServiceRoleForECS yet" in str(found.value)
    assert "AWSServiceRoleForElasticLoadBalancing" not in str(found.value)
    assert "create-service-linked-role --aws-service-name ecs.amazonaws.com" in found.value.hint
    asked = [one for call, one in aws.asked if call == SIMULATE and "ResourceArns" in one]
    name = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert asked[0]["ResourceArns"] == [f"arn:aws:iam::111111111111:{name}"]


def test_what_is_there_need_not_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.install(monkeypatch, **{**GOOD, "iam__SimulatePrincipalPolicy": simulated})

    assert _preflight.look(draft("hello", tmp_path)) == ()


def test_where_permissions_may_not_be_asked_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draft("hello", tmp_path)
    made.linked_roles = (ECS,)
    no = Refusal("AccessDenied", "not allowed", status=403)
    answers.install(monkeypatch, **{**GOOD, "iam__SimulatePrincipalPolicy": no})

    assert any("may not look at their own permissions" in one for one in _preflight.look(made))


def test_where_they_may_not_be_looked_at_a_plan_says_so_and_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = Refusal("AccessDenied", "not authorized to perform: iam:ListRoles", status=403)
    answers.install(monkeypatch, **NEW, iam__ListRoles=no)

    plan = AwsEngine().plan(examples.wanted("hello", tmp_path), AT)

    assert plan.changes
    assert any("iam:ListRoles" in note for note in plan.notes)


def test_what_else_goes_wrong_with_them_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(monkeypatch, **NEW, iam__ListRoles=Refusal("ServiceFailure", "it broke"))

    with pytest.raises(CordilleraError, match="it broke"):
        AwsEngine().plan(examples.wanted("hello", tmp_path), AT)


@pytest.mark.slow
def test_a_new_account_gets_them_and_keeps_them(account: str, tmp_path: Path) -> None:
    want = examples.wanted("hello", tmp_path, services={"web": {"image": "hello:1"}})
    iam = Live(site_of(want)).client("iam")
    iam.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")

    plan = up(want)

    planned = [one for one in plan.changes if one.component == "account"]
    assert [(one.name, one.effect) for one in planned] == [(ECS.name, Effect.CREATE)]
    assert AwsEngine().plan(want, AT).changes == ()
    services = {"ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"}
    assert _services(iam) == services
    AwsEngine().destroy(AT)
    assert _services(iam) == services


@pytest.mark.slow
def test_one_that_is_gone_is_made_again_and_nothing_else(account: str, tmp_path: Path) -> None:
    want = examples.wanted("hello", tmp_path, services={"web": {"image": "hello:1"}})
    up(want)
    iam = Live(site_of(want)).client("iam")
    name = next(r["RoleName"] for r in _roles(iam) if "/ecs." in r["Path"])
    iam.delete_service_linked_role(RoleName=name)

    plan = up(want, token="up-2")

    assert [one.name for one in plan.changes] == [ECS.name]
    assert "ecs.amazonaws.com" in _services(iam)


def _roles(iam: Any) -> list[Any]:
    return list(iam.pages("list_roles", "Roles", PathPrefix="/aws-service-role/"))


def _services(iam: Any) -> set[str]:
    return {one["Path"].split("/")[2] for one in _roles(iam)}
