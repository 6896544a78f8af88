"""The day after: what is shown, scaled, changed by hand, and taken down again. Against an emulator.

No real AWS was reachable when this was written.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Progress
from cordillera.targets.aws import _bucket, _client, _drift, _observe
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws._verbs import AwsVerbs
from cordillera.targets.aws.service import CLUSTER, service
from tests.targets.aws import answers, examples
from tests.targets.aws.applied import up
from tests.targets.aws.test_apply import AT, hello

SCALE = {"min": 2, "max": 6, "target": {"cpu": 60}}


def web(**more: object) -> dict[str, object]:
    return {"services": {"web": {"image": "hello:1", **more}}}


@pytest.mark.slow
def test_an_update_leaves_the_number_of_copies_that_scaling_found(
    account: str, tmp_path: Path
) -> None:
    up(examples.wanted("hello", tmp_path / "1", **web(scale=SCALE)))
    want = examples.wanted("hello", tmp_path / "2", **web(scale=SCALE, image="hello:2"))
    live = Live(site_of(want))
    where = {"cluster": live.physical(CLUSTER)}
    assert _desired(live) == 2
    live.client("ecs").update_service(
        **where, service=live.physical(service("web")), desiredCount=5
    )

    up(want, token="up-2")

    assert _desired(live) == 5


def _desired(live: Live) -> int:
    found = live.client("ecs").describe_services(
        cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
    )
    return int(found["services"][0]["desiredCount"])


@pytest.mark.slow
def test_variables_are_masked_unless_they_are_to_be_revealed(account: str, tmp_path: Path) -> None:
    secrets = [{"name": "SECRET_KEY", "generate": True}]
    want = examples.wanted("hello", tmp_path, **web(secrets=secrets))
    up(want)
    verbs = AwsVerbs()

    masked = verbs.variables(want.environment, "web", reveal=False)
    shown = verbs.variables(want.environment, "web", reveal=True)

    assert masked["SECRET_KEY"] == "********"
    assert shown["SECRET_KEY"] == verbs.reveal_secret(want.environment, "SECRET_KEY")
    assert len(shown["SECRET_KEY"]) > 20
    assert shown["CORDILLERA_URL"].startswith("https://")  # CloudFront's own name


@pytest.mark.slow
def test_destroy_tells_how_far_it_is_and_leaves_nothing_of_its_own(
    account: str, tmp_path: Path
) -> None:
    up(hello(tmp_path / "1"))
    want = hello(tmp_path / "2", image="hello:2")
    up(want, token="up-2")
    site, heard = site_of(want), list[tuple[str, Progress]]()

    AwsEngine().destroy(AT, lambda unit, now: heard.append((unit, now)))

    done = [unit for unit, now in heard if now.done]
    assert done.index("app") < done.index("release") < done.index("network")
    ecs = _client.client(want.account, "ecs", site.region)
    active = list(ecs.pages("list_task_definitions", "taskDefinitionArns", status="ACTIVE"))
    assert active == []
    s3 = _client.client(want.account, "s3", site.region)
    bucket = _bucket.name(site, site.region)
    assert list(s3.pages("list_objects_v2", "Contents", Bucket=bucket)) == []


@pytest.mark.slow
def test_secrets_that_somebody_chose_are_named_before_they_go(account: str, tmp_path: Path) -> None:
    want, verbs = hello(tmp_path), AwsVerbs()
    up(want)
    verbs.set_secret(want.environment, "TOKEN", "1")

    assert list(verbs.outliving(want.environment)) == ["TOKEN"]


def test_a_copy_that_the_balancer_sends_nothing_is_not_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = {
        "Target": {"Id": "10.0.0.2"},
        "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout"},
    }
    well = {"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": "healthy"}}
    answers.install(
        monkeypatch, elbv2__DescribeTargetHealth={"TargetHealthDescriptions": [well, sick]}
    )
    monkeypatch.setattr(Live, "physical", lambda self, ref: ref.id)
    want = examples.wanted("hello", tmp_path)

    targets = _observe._targets("web", Live(site_of(want)))
    copies = [_observe._copy("web", task(n), targets) for n in (1, 2, 3)]

    assert [copy.healthy for copy in copies] == [True, False, False]
    assert copies[1].detail == "unhealthy at the balancer: Target.Timeout"
    assert copies[2].detail == "not at the balancer yet"


def task(number: int) -> dict[str, Any]:
    address = {"name": "privateIPv4Address", "value": f"10.0.0.{number}"}
    return {
        "taskArn": f"arn:aws:ecs:us-east-1:1:task/c/{number}",
        "lastStatus": "RUNNING",
        "startedAt": datetime.now(UTC),
        "attachments": [{"details": [address]}],
    }


def test_what_was_changed_by_hand_is_told_with_both_values() -> None:
    modified = {
        "StackResourceDriftStatus": "MODIFIED",
        "PropertyDifferences": [
            {"PropertyPath": "/DesiredCount", "ExpectedValue": "2", "ActualValue": "7"}
        ],
    }

    assert _drift.what(modified) == "DesiredCount was 2, is 7"
    assert _drift.what({"StackResourceDriftStatus": "DELETED"}) == "it was deleted"


def test_drift_is_asked_of_every_stack_that_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = examples.wanted("hello", tmp_path)
    at = datetime(2026, 11, 1, tzinfo=UTC)

    def describe(asked: Any) -> dict[str, Any]:
        name = str(asked["StackName"])
        resting = name.endswith("-app")
        status = "UPDATE_COMPLETE" if resting else "UPDATE_IN_PROGRESS"
        one = {"StackName": name, "StackId": name, "StackStatus": status, "CreationTime": at}
        return {"Stacks": [one]}

    drift = {
        "StackId": "1",
        "LogicalResourceId": "WebService",
        "ResourceType": "AWS::ECS::Service",
        "StackResourceDriftStatus": "DELETED",
        "Timestamp": at,
    }
    status = {
        "StackId": "1",
        "StackDriftDetectionId": "d",
        "DetectionStatus": "DETECTION_COMPLETE",
        "Timestamp": at,
    }
    answers.install(
        monkeypatch,
        cloudformation__DescribeStacks=describe,
        cloudformation__DetectStackDrift={"StackDriftDetectionId": "d"},
        cloudformation__DescribeStackDriftDetectionStatus=status,
        cloudformation__DescribeStackResourceDrifts={"StackResourceDrifts": [drift]},
    )

    found = _drift.found(site_of(want))

    assert [(d.unit, d.name, d.what) for d in found] == [("app", "WebService", "it was deleted")]
