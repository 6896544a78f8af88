"""What goes wrong in AWS, and the sentence that the user reads."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.account import AccountSpec
from cordillera.components.protocol import Place, Progress
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CommandFailed, CordilleraError, NotReady, Refused
from cordillera.targets.aws import (
    _apply,
    _client,
    _crashes,
    _draft,
    _once,
    _online,
    _stack_events,
)
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws.service import CLUSTER
from tests.targets.aws import answers, emulator, examples
from tests.targets.aws.answers import Refusal

AT = Place(examples.ENVIRONMENT, "us-east-1")
WHO = {"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/ada"}
ARN = "arn:aws:cloudformation:us-east-1:111111111111:stack/cordillera-acme-production-app/1"
TASK = "arn:aws:ecs:us-east-1:111111111111:task/c/0123456789abcdef"
DEFINITION = "arn:aws:ecs:us-east-1:111111111111:task-definition/cordillera-acme-production-web:7"


@pytest.fixture
def want(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wanted:
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    return examples.wanted("hello", tmp_path, services={"web": {"image": "hello:1"}})


def stack(status: str, **more: Any) -> dict[str, Any]:
    found = {
        "StackName": "cordillera-acme-production-app",
        "StackId": ARN,
        "StackStatus": status,
        "CreationTime": datetime(2026, 11, 1, tzinfo=UTC),
        **more,
    }
    return {"Stacks": [found]}


def test_throttled(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.install(
        monkeypatch,
        sts__GetCallerIdentity=WHO,
        cloudformation__DescribeStacks=Refusal("Throttling", "Rate exceeded"),
    )

    with pytest.raises(NotReady) as told:
        AwsEngine().plan(want, AT)

    assert str(told.value) == "AWS asks us to slow down (DescribeStacks)"
    assert told.value.hint == "repeat in a minute"


def test_throttled_while_a_stack_is_watched_goes_on(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def describe(_: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(1)
        if len(asked) == 1:
            raise NotReady("AWS asks us to slow down (DescribeStacks)")
        return stack("UPDATE_COMPLETE")

    answers.install(
        monkeypatch,
        cloudformation__DescribeStacks=describe,
        cloudformation__DescribeStackEvents={"StackEvents": []},
    )
    heard: list[Progress] = []
    draft = _draft.draft(want, site_of(want))

    _apply._wait("app", ARN, Stacks(site_of(want)), "up-1", heard.append, draft)

    assert heard == [Progress(done=False, detail="AWS asks us to slow down (DescribeStacks)")]


@pytest.mark.parametrize(("service", "asked"), [("rds-data", 1), ("secretsmanager", 2)])
def test_a_statement_is_not_repeated_by_the_sdk_for_it_may_have_been_carried_out(
    service: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else is asked again."""
    with broken_server() as (address, requests):
        for name, value in emulator.credentials(address).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(_client, "ATTEMPTS", 2)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        client: Any = _client._made.__wrapped__(_client._key(AccountSpec()), service, "us-east-1")

        with pytest.raises(client.exceptions.ClientError):
            if service == "rds-data":
                client.execute_statement(resourceArn="a" * 20, secretArn="b" * 20, sql="x")
            else:
                client.describe_secret(SecretId="x")

    assert len(requests) == asked


@contextlib.contextmanager
def broken_server() -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was asked: it fails every time."""
    asked = list[str]()

    class Broken(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_expired_credentials(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.install(monkeypatch, sts__GetCallerIdentity=Refusal("ExpiredToken", "The token is old"))

    with pytest.raises(CordilleraError, match=r"^the AWS login has expired$") as told:
        AwsEngine().plan(want, AT)

    assert told.value.hint.startswith("aws sso login")


def test_unknown_credentials(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.install(monkeypatch, sts__GetCallerIdentity=Refusal("InvalidClientTokenId"))

    with pytest.raises(CordilleraError, match=r"^AWS does not know these credentials$"):
        AwsEngine().plan(want, AT)


def test_a_role_that_may_not_be_taken_on(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = Refusal("AccessDenied", "not authorized to perform: sts:AssumeRole", status=403)
    answers.install(monkeypatch, sts__GetCallerIdentity=denied)

    with pytest.raises(CordilleraError, match="the credentials may not do this") as told:
        AwsEngine().plan(want, AT)

    assert "cordillera aws policy" in told.value.hint


def test_a_stack_that_could_not_be_rolled_back(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(
        monkeypatch,
        sts__GetCallerIdentity=WHO,
        cloudformation__DescribeStacks=stack(
            "UPDATE_ROLLBACK_FAILED",
            StackStatusReason="The following resource(s) failed to update: [WebService].",
        ),
        cloudformation__GetTemplate={"TemplateBody": '{"Resources": {}}'},
        cloudformation__ListStackResources={"StackResourceSummaries": []},
        guardduty__ListDetectors={"DetectorIds": []},
        cloudtrail__DescribeTrails={"trailList": []},
        ecr__DescribeRegistry={"replicationConfiguration": {"rules": []}},
    )

    with pytest.raises(Refused) as told:
        AwsEngine().plan(want, AT)

    assert str(told.value) == (
        "the stack cordillera-acme-production-app could not be rolled back: "
        "The following resource(s) failed to update: [WebService]."
    )
    assert "aws cloudformation continue-update-rollback" in told.value.hint


def test_a_name_that_another_environment_has(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [{"Key": "cordillera:environment", "Value": "acme-production/x"}]
    answers.install(
        monkeypatch,
        sts__GetCallerIdentity=WHO,
        cloudformation__DescribeStacks=stack("CREATE_COMPLETE", Tags=tags),
    )

    with pytest.raises(Refused, match=r"belongs to acme-production/x$"):
        AwsEngine().plan(want, AT)


def test_a_name_that_is_taken_is_told_with_what_to_do() -> None:
    event = {
        "LogicalResourceId": "WebRepository",
        "ResourceType": "AWS::ECR::Repository",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": "Resource of type 'AWS::ECR::Repository' already exists.",
    }

    assert _stack_events.sentence(event) == (
        "WebRepository (ECR::Repository): Resource of type 'AWS::ECR::Repository' already exists. "
        "(something of that name is there already: delete or rename it, then repeat)"
    )


def test_a_region_that_is_not_enabled(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.install(
        monkeypatch,
        sts__GetCallerIdentity=WHO,
        cloudformation__DescribeStacks=Refusal("OptInRequired", "not subscribed", status=403),
    )

    with pytest.raises(Refused, match=r"^this region is not enabled in the account"):
        AwsEngine().plan(want, AT)


def test_the_cause_is_the_first_failure_and_not_what_it_cancelled() -> None:
    events = [
        _event("NatGatewayB", "CREATE_FAILED", "Resource creation cancelled"),
        _event("NatGatewayA", "CREATE_FAILED", "The maximum number of addresses has been reached."),
        _event("Vpc", "CREATE_FAILED", "something later"),
    ]

    first = _stack_events.first_failed(events)

    assert first is not None
    assert _stack_events.sentence(first).startswith("NatGatewayA (EC2::NatGateway): The maximum")


def test_the_tree_of_a_stack_names_each_resource_its_state_and_its_seconds() -> None:
    events = [
        _event("Vpc", "CREATE_IN_PROGRESS", ""),
        _event("Vpc", "CREATE_COMPLETE", ""),
        _event("NatGatewayA", "CREATE_IN_PROGRESS", ""),
        _event("NatGatewayB", "CREATE_IN_PROGRESS", ""),
    ]

    lines = _stack_events.working_on(events).splitlines()

    assert lines[0] == "1 done, 2 under way"
    assert lines[1].startswith("NatGatewayA (EC2::NatGateway) create ")
    assert lines[1].endswith(" s")


def _event(name: str, status: str, why: str) -> dict[str, Any]:
    kind = name.rstrip("AB")
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": name,
        "StackId": ARN,
        "ResourceType": f"AWS::EC2::{kind}",
        "ResourceStatus": status,
        "ResourceStatusReason": why,
        "Timestamp": datetime.now(UTC),
    }


def crashed(number: int, **more: Any) -> dict[str, Any]:
    return {
        "taskArn": f"{TASK}{number}",
        "taskDefinitionArn": DEFINITION,
        "group": "service:web",
        "startedBy": "ecs-svc/1",
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "createdAt": datetime.now(UTC) + timedelta(minutes=1),
        "stoppedAt": datetime(2026, 11, 1, 12, number, tzinfo=UTC),
        "containers": [{"name": "web", "exitCode": 1}],
        **more,
    }


def service_answers(*tasks: dict[str, Any]) -> dict[str, answers.Answer]:
    names = {"Cluster": "c", "WebTask": DEFINITION, "WebLog": "log", "CallersGroup": "sg-1"}
    names |= {"WebServiceGroup": "sg-2", "PrivateSubnetA": "s-a", "PrivateSubnetB": "s-b"}
    summary = [
        {
            "LogicalResourceId": id,
            "PhysicalResourceId": name,
            "ResourceType": "AWS::X::Y",
            "LastUpdatedTimestamp": datetime(2026, 11, 1, tzinfo=UTC),
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for id, name in names.items()
    ]
    return {
        "cloudformation__ListStackResources": {"StackResourceSummaries": summary},
        "ecs__ListTasks": {"taskArns": [t["taskArn"] for t in tasks]},
        "ecs__DescribeTasks": {"tasks": list(tasks)},
        "logs__FilterLogEvents": {
            "events": [{"message": "Traceback"}, {"message": "KeyError: 'SECRET_KEY'"}]
        },
    }


def test_a_copy_that_ends_again_and_again_is_told_after_its_second_end(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(monkeypatch, **service_answers(crashed(1), crashed(2)))

    told = _crashes.told(want, Live(site_of(want)), CLUSTER)

    assert told == (
        "2 copies of web have ended: exit status 1"
        "\n    web | Traceback\n    web | KeyError: 'SECRET_KEY'"
    )


@pytest.mark.parametrize(
    "tasks",
    [
        [crashed(1)],
        [crashed(1), crashed(2, stopCode="ServiceSchedulerInitiated")],
        [crashed(1), crashed(2, taskDefinitionArn=DEFINITION[:-1] + "6")],
        [crashed(1), crashed(2, startedBy="release-1", group="family:web")],
        [crashed(1), crashed(2, createdAt=datetime(2020, 1, 1, tzinfo=UTC))],
    ],
    ids=["one end", "scaled in", "the release before", "a command", "an `up` before"],
)
def test_ends_that_are_no_crash_loop(
    tasks: list[dict[str, Any]], want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(monkeypatch, **service_answers(*tasks))

    assert _crashes.told(want, Live(site_of(want)), CLUSTER) == ""


UNWELL = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:web)"


def unwell(number: int) -> dict[str, Any]:
    """A copy that ECS ended because the balancer found it sick: it obeyed, and ended by SIGTERM."""
    return crashed(
        number,
        stopCode="ServiceSchedulerInitiated",
        stoppedReason=UNWELL,
        containers=[{"name": "web", "exitCode": 143}],
    )


def test_copies_that_never_are_well_are_told_with_the_check_that_they_failed(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(monkeypatch, **service_answers(unwell(1), unwell(2)))

    told = _crashes.told(want, Live(site_of(want)), CLUSTER)

    assert told.splitlines()[0] == f"2 copies of web have ended: {UNWELL}"
    assert told.endswith("KeyError: 'SECRET_KEY'")


def test_a_deployment_that_was_rolled_back_is_told_with_its_cause(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = {
        **_event("WebService", "UPDATE_FAILED", BREAKER),
        "ResourceType": "AWS::ECS::Service",
        "EventId": "1",
        "StackName": "app",
        "ClientRequestToken": "up-1",
    }
    answers.install(
        monkeypatch,
        **service_answers(unwell(1)),
        cloudformation__DescribeStacks=stack("UPDATE_ROLLBACK_COMPLETE"),
        cloudformation__DescribeStackEvents={"StackEvents": [event]},
    )
    draft = _draft.draft(want, site_of(want))

    with pytest.raises(CordilleraError) as told:
        _apply._wait("app", ARN, Stacks(site_of(want)), "up-1", lambda _: None, draft)

    assert str(told.value).splitlines() == [
        f"WebService (ECS::Service): {BREAKER}; a copy of web has ended: {UNWELL}",
        "    web | Traceback",
        "    web | KeyError: 'SECRET_KEY'",
    ]


BREAKER = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'"


def test_a_creation_with_a_crash_loop_is_not_waited_for(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = service_answers(crashed(1), crashed(2))
    answers.install(
        monkeypatch,
        **found,
        cloudformation__DescribeStacks=stack("CREATE_IN_PROGRESS"),
        cloudformation__DescribeStackEvents={"StackEvents": []},
    )
    draft = _draft.draft(want, site_of(want))

    with pytest.raises(CordilleraError, match="2 copies of web have ended: exit status 1"):
        _apply._wait("app", ARN, Stacks(site_of(want)), "up-1", lambda _: None, draft)


def test_an_update_with_a_crash_loop_is_cancelled_at_once(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[int] = []

    def describe(_: Mapping[str, Any]) -> dict[str, Any]:
        return stack("UPDATE_ROLLBACK_COMPLETE" if cancelled else "UPDATE_IN_PROGRESS")

    def cancel(_: Mapping[str, Any]) -> dict[str, Any]:
        cancelled.append(1)
        return {}

    answers.install(
        monkeypatch,
        **service_answers(crashed(1), crashed(2)),
        cloudformation__DescribeStacks=describe,
        cloudformation__DescribeStackEvents={"StackEvents": []},
        cloudformation__CancelUpdateStack=cancel,
    )
    draft = _draft.draft(want, site_of(want))

    with pytest.raises(CordilleraError, match="2 copies of web have ended"):
        _apply._wait("app", ARN, Stacks(site_of(want)), "up-1", lambda _: None, draft)
    assert cancelled == [1]


class Releases:
    """ECS and Systems Manager, as far as a release command needs them."""

    def __init__(self, exit_status: int = 0) -> None:
        self.exit_status, self.runs, self.notes = exit_status, 0, dict[str, str]()

    def answers(self) -> dict[str, answers.Answer]:
        return {
            **service_answers(),
            "ssm__GetParameter": self.read,
            "ssm__PutParameter": self.write,
            "ecs__RunTask": self.run,
            "ecs__DescribeTasks": self.describe,
        }

    def read(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Name"] not in self.notes:
            raise _client.AwsError("there is none", code="ParameterNotFound")
        return {"Parameter": {"Value": self.notes[asked["Name"]]}}

    def write(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.notes[asked["Name"]] = asked["Value"]
        return {}

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.runs += 1
        self.asked = asked
        return {"tasks": [{"taskArn": f"{TASK}{self.runs}"}]}

    def describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        one = {"name": "web", "exitCode": self.exit_status}
        return {"tasks": [{"lastStatus": "STOPPED", "containers": [one]}]}


def test_a_release_command_runs_once_per_release_from_whatever_machine(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Releases()
    answers.install(monkeypatch, **world.answers())

    for _ in range(3):
        _once.release("web", "migrate", want, Live(site_of(want)))
    assert world.runs == 1

    from dataclasses import replace

    _once.release("web", "migrate", replace(want, releases={"web": "next"}), Live(site_of(want)))
    assert world.runs == 2


def test_a_release_command_that_was_begun_before_a_crash_is_waited_for_and_not_run_again(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Releases()
    answers.install(monkeypatch, **world.answers())
    live = Live(site_of(want))
    this = _once._this_release("migrate", want.releases["web"])
    world.notes[_once.record("web", live.site)] = f"{this} runs {TASK}1"

    _once.release("web", "migrate", want, live)

    assert world.runs == 0
    assert world.notes[_once.record("web", live.site)].split(" ")[1] == "done"


def test_a_release_command_that_failed_is_told_and_runs_again(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Releases(exit_status=3)
    answers.install(monkeypatch, **world.answers())

    for _ in range(2):
        with pytest.raises(CommandFailed, match="the release command of web exited 3") as told:
            _once.release("web", "migrate", want, Live(site_of(want)))

    assert world.runs == 2
    assert "release | KeyError: 'SECRET_KEY'" in str(told.value)


def test_commands_reach_other_services_by_names_in_dns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = {"image": "api:1", "port": 9000, "health": "/healthz"}
    web = {"image": "hello:1", "environment": {"API": "${services.api.url}/v1", "PLAIN": "1"}}
    want = examples.wanted("hello", tmp_path, services={"web": web, "api": api})
    world = Releases()
    answers.install(monkeypatch, **world.answers())

    _once.run("web", ["true"], want, Live(site_of(want)), by="test")

    assert world.asked["overrides"]["containerOverrides"][0]["environment"] == [
        {"name": "API", "value": "http://api.production.acme.internal:9000/v1"}
    ]
    templates = _draft.draft(want, site_of(want)).templates
    assert templates["release"].body["Resources"]["Names"]["Properties"]["Name"] == (
        "production.acme.internal"
    )


def test_the_version_of_a_plan_moves_with_any_stack() -> None:
    assert _online.version({}) != _online.version({"app": None})
