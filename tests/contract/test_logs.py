"""What every target's `logs` promises: the last lines of each copy, and those since a time."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.target import Verbs
from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _home
from cordillera.targets.aws import _logs as logs_of_aws
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._seen import Seen
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws._verbs import AwsVerbs
from cordillera.targets.local import _intent, _logs
from cordillera.targets.local._verbs import LocalVerbs
from tests.contract.rigs import AT, wanted
from tests.targets.aws import answers
from tests.targets.aws.answers import Refusal

COPIES = ("a", "b")
STACK = {
    "WebLog": ("AWS::Logs::LogGroup", "web-log"),
    "WebTask": (
        "AWS::ECS::TaskDefinition",
        "arn:aws:ecs:us-east-1:1:task-definition/contract-test-web:7",
    ),
    "Cluster": ("AWS::ECS::Cluster", "the-cluster"),
}


class Local:
    """Logs as programs write them, their lengths noted by the loop that runs in each zone."""

    def __init__(self, folder: Path) -> None:
        _intent.save(_intent.Intent(AT.env, 0, "loopback", ""))
        _intent.save_wanted(wanted())
        intent = _intent.load(AT.env)
        assert intent is not None
        self.now = time.time()
        self.verbs: Verbs = LocalVerbs()
        self.zones = {zone.name: zone for zone in _intent.site_of(intent).zones}
        self.folder = folder

    def say(self, copy: str, line: str, ago_s: float) -> None:
        log = self.zones[copy].state / "logs/web.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"{line}\n")
        at = self.now - ago_s
        os.utime(log, (at, at))
        look(log.parent, self.folder)


def look(logs: Path, folder: Path, rounds: int = 1) -> None:
    """The loop of a zone, in no time: its `sleep` ends at once, and fails in the end."""
    (folder / "logrotate.conf").write_text(
        _logs.RULES.replace("{state}", str(logs.parent)).replace("{su}", "")
    )
    (folder / "logrotate.conf").chmod(0o600)
    (folder / "sleep").write_text(
        f'#!/bin/sh\necho >> {folder}/slept; [ "$(wc -l < {folder}/slept)" -le {rounds} ]\n'
    )
    (folder / "sleep").chmod(0o755)
    (folder / "slept").unlink(missing_ok=True)
    argv = ["/bin/sh", "-c", _logs.LOOP, "logs", str(logs), str(folder), str(folder)]
    path = f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"
    subprocess.run(argv, env={"PATH": path}, check=False, timeout=60)


def resource(id: str) -> dict[str, Any]:
    """Of the stack, as CloudFormation lists it."""
    kind, name = STACK[id]
    return {
        "LogicalResourceId": id,
        "PhysicalResourceId": name,
        "ResourceType": kind,
        "LastUpdatedTimestamp": datetime(2026, 11, 1, tzinfo=UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }


class Aws:
    """Log events as CloudWatch has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _home.save_wanted(wanted(target="aws", region="us-east-1"))
        self.now = time.time()
        self.verbs: Verbs = AwsVerbs()
        self.events = list[dict[str, Any]]()
        self.running = list(COPIES)
        self.aws = answers.install(
            monkeypatch,
            cloudformation__ListStackResources={"StackResourceSummaries": [*map(resource, STACK)]},
            ecs__ListTasks=self.tasks,
            logs__FilterLogEvents=self.filter,
        )

    def say(self, copy: str, line: str, ago_s: float) -> None:
        at = round((self.now - ago_s) * 1000)
        stream, id = f"web/web/{copy}", str(len(self.events))
        made = {"logStreamName": stream, "timestamp": at, "message": line, "eventId": id}
        self.events.append(made)

    def tasks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert asked == {"cluster": "the-cluster", "family": "contract-test-web"}
        return {"taskArns": [f"arn:aws:ecs:us-east-1:1:task/the-cluster/{c}" for c in self.running]}

    def filter(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        assert asked["logGroupName"] == "web-log"
        streams = {str(e["logStreamName"]) for e in self.events}
        wanted = set(asked.get("logStreamNames", streams))
        if not wanted <= streams:
            raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
        last = asked.get("endTime", float("inf"))
        within = [e for e in self.events if asked.get("startTime", 0) <= e["timestamp"] <= last]
        return {"events": [e for e in within if e["logStreamName"] in wanted]}


Rig = Local | Aws


@pytest.fixture(params=["local", "aws"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    (tmp_path / "loop").mkdir()
    yield Local(tmp_path / "loop") if request.param == "local" else Aws(monkeypatch)


def told(rig: Rig, *, ago_s: float | None = None, tail: int | None = None) -> list[str]:
    """The lines, without what stands before each: its copy, perhaps its time."""
    since = None if ago_s is None else datetime.fromtimestamp(rig.now - ago_s, UTC)
    found = rig.verbs.logs(AT.env, "web", since=since, tail=tail, follow=False)
    return sorted(line.rpartition(" ")[2] for line in found)


def printed(rig: Rig) -> None:
    """Each copy printed an old, a late and a new line."""
    for name, ago_s in (("old", 0.9), ("late", 0.5), ("new", 0.1)):
        for copy in COPIES:
            rig.say(copy, f"{name}-{copy}", ago_s)


def test_without_limits_everything_is_told(rig: Rig) -> None:
    printed(rig)

    assert told(rig) == ["late-a", "late-b", "new-a", "new-b", "old-a", "old-b"]


def test_of_each_copy_the_last_lines_are_told(rig: Rig) -> None:
    printed(rig)

    assert told(rig, tail=1) == ["new-a", "new-b"]
    assert told(rig, tail=2) == ["late-a", "late-b", "new-a", "new-b"]
    assert told(rig, tail=0) == []


def test_what_was_printed_since_a_time_is_told_and_nothing_older(rig: Rig) -> None:
    printed(rig)

    assert told(rig, ago_s=0.7) == ["late-a", "late-b", "new-a", "new-b"]
    assert told(rig, ago_s=0.3) == ["new-a", "new-b"]
    assert told(rig, ago_s=0) == []
    assert told(rig, ago_s=3600) == told(rig)
    assert told(rig, ago_s=0.7, tail=1) == ["new-a", "new-b"]


def test_a_service_that_there_is_not_is_named(rig: Rig) -> None:
    with pytest.raises(CordilleraError, match="no service called wbe"):
        list(rig.verbs.logs(AT.env, "wbe", since=None, tail=None, follow=False))


def test_following_goes_on_where_the_lines_so_far_ended(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_came(_: float) -> None:
        raise AssertionError("the new line was not told")

    printed(rig)
    lines = rig.verbs.logs(AT.env, "web", since=None, tail=1, follow=True)

    before = [next(lines), next(lines)]
    rig.say("a", "newest-a", -9)
    monkeypatch.setattr(time, "sleep", nothing_came)

    assert [line.rpartition(" ")[2] for line in (*before, next(lines))] == [
        "new-a", "new-b", "newest-a",
    ]  # fmt: skip


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    return Aws(monkeypatch)


def test_aws_looks_farther_back_until_each_copy_that_runs_has_its_lines(aws: Aws) -> None:
    aws.say("a", "last-month", 30 * 86400)
    for n in range(3):
        aws.say("b", f"yesterday-{n}", 80_000)

    assert told(aws, tail=2) == ["last-month", "yesterday-1", "yesterday-2"]
    assert told(aws, tail=20) == ["last-month", "yesterday-0", "yesterday-1", "yesterday-2"]


def test_aws_a_talkative_copy_hides_no_quiet_one(aws: Aws) -> None:
    aws.say("a", "quiet-1", 7200)
    aws.say("a", "quiet-2", 4000)
    for n in range(100):
        aws.say("b", f"busy-{n}", 60)

    assert told(aws, tail=2) == ["busy-98", "busy-99", "quiet-1", "quiet-2"]


def test_aws_what_a_copy_that_has_ended_printed_is_told_where_it_lies_near(aws: Aws) -> None:
    aws.running = ["b", "just-begun"]
    aws.say("a", "old-of-a", 30 * 86400)
    aws.say("a", "last-of-a", 30)
    aws.say("b", "of-b", 20)

    assert told(aws, tail=2) == ["last-of-a", "of-b"]
    assert len(aws.aws.asked) < 12


def test_aws_a_command_that_printed_nothing_has_no_lines(aws: Aws) -> None:
    live = Live(site_of(wanted(target="aws", region="us-east-1")))
    aws.say("a", "something", 10)

    assert logs_of_aws.of_task("web", "a", live, 5) == ["something"]
    assert logs_of_aws.of_task("web", "silent", live, 5) == []


def test_aws_copies_that_have_their_lines_are_not_asked_again(aws: Aws) -> None:
    for copy in COPIES:
        aws.say(copy, f"of-{copy}", 30)

    assert told(aws, tail=1) == ["of-a", "of-b"]
    assert aws.aws.count("logs.FilterLogEvents") == 1


def test_aws_lines_that_arrive_late_are_followed_once(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arrive(_: float) -> None:
        if len(aws.events) > 9:
            raise InterruptedError
        aws.say("b", f"late-{len(aws.events)}", 20 - len(aws.events))

    printed(aws)
    monkeypatch.setattr(time, "sleep", arrive)
    lines = aws.verbs.logs(AT.env, "web", since=None, tail=1, follow=True)
    heard = list[str]()

    with pytest.raises(InterruptedError):
        for line in lines:
            heard.append(line.rpartition(" ")[2])

    assert heard == ["new-a", "new-b", "late-6", "late-7", "late-8", "late-9"]


def test_aws_an_event_is_known_only_as_long_as_it_may_be_read_again() -> None:
    seen, event = Seen(datetime.fromtimestamp(100, UTC)), {"eventId": "1", "timestamp": 200_000}

    assert [seen.first(event), seen.first(event)] == [True, False]
    seen.forget(before=datetime.fromtimestamp(201, UTC))
    assert [seen.first(event), seen.first(event)] == [True, True]
    assert seen.since == datetime.fromtimestamp(201, UTC)


def test_local_reads_rotated_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    (tmp_path / "loop").mkdir()
    rig = Local(tmp_path / "loop")
    log = rig.zones["a"].state / "logs/web.log"
    rig.say("a", "old", 0.9)
    rig.say("a", "x" * (11 << 20) + "\nrotated", 0.6)
    look(log.parent, rig.folder, rounds=6)
    assert log.stat().st_size == 0
    rig.say("a", "new", 0.1)

    assert told(rig, tail=1) == ["new"]
    assert told(rig, tail=2) == ["new", "rotated"]
    assert told(rig, ago_s=0.3) == ["new"]
    assert "old" in told(rig, ago_s=3600)
    assert "old" not in told(rig, ago_s=0.7)
    assert told(rig, ago_s=0.7)[:2] == ["new", "rotated"]
