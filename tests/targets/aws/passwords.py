"""A database whose user may have two passwords, its secret, and copies that log in: a model behind the SDK.

Written after what MySQL and Secrets Manager document. It was never compared with the real ones.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.targets.aws import answers

SECRET, CLUSTER = "arn:aws:secretsmanager:us-east-1:1:secret:db-Ab12Cd", "cordillera-db"
NAME = "resources.db.password"
CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
BY = re.compile(r"ALTER USER 'db'@'%' IDENTIFIED BY '(\w+)'( RETAIN CURRENT PASSWORD)?$")


def version(number: int) -> str:
    """The id of a secret's version: at least 32 letters."""
    return f"v{number:031d}"


class Killed(BaseException):
    """The command ends here, as by kill -9."""


@dataclass
class Copy:
    """A copy of the service that runs: what it was told, and out of which task definition."""

    password: str
    definition: str
    ending: bool = False


@dataclass
class World:
    """An environment that is up. After every call all that run, and all that start, must be let in."""

    versions: dict[str, str] = field(default_factory=lambda: {version(1): "one"})
    stages: dict[str, str] = field(default_factory=lambda: {CURRENT: version(1)})
    first: str = "one"
    second: str | None = None
    labels: dict[str, str] = field(default_factory=lambda: {"web:1": version(1)})
    copies: list[Copy] = field(default_factory=lambda: [Copy("one", "web:1")])
    definition: str = "web:1"
    unlabelled: set[str] = field(default_factory=set)
    """Task definitions that were made before there were labels."""
    others: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task definitions of services that use no database -> what is said of their containers."""
    gone: bool = False
    """Whether the secret was deleted by hand."""
    releasing: bool = False
    """Whether CloudFormation is at work on the services."""
    calls: int = 0
    tidy: bool = False
    """Whether what has become current is no longer pending by itself: AWS promises neither."""
    busy: bool = False
    kill_at: int | None = None
    """Ends the command at that call: before it is carried out when even, after it when odd."""
    elsewhere: tuple[int, Callable[[], None]] | None = None
    """After that call another machine does something. For a moment a copy that starts may be refused then."""

    def answers(self) -> dict[str, answers.Answer]:
        """What each call is answered with."""
        return {
            name: self._call(found)
            for name, found in {
                "cloudformation.DescribeStacks": self._stack,
                "cloudformation.ListStackResources": self._resources,
                "ecs.DescribeTaskDefinition": self._definition,
                "ecs.DescribeTasks": self._tasks,
                "ecs.ListTasks": self._arns,
                "logs.DescribeLogGroups": lambda _: {"logGroups": []},
                "rds.DescribeDBClusters": self._cluster,
                "rds-data.ExecuteStatement": self._statement,
                "secretsmanager.DescribeSecret": self._describe,
                "secretsmanager.GetSecretValue": self._value,
                "secretsmanager.PutSecretValue": self._put,
                "secretsmanager.UpdateSecretVersionStage": self._move,
            }.items()
        }

    @property
    def pinned(self) -> str:
        """The password in the composed variables, of the version that the last release named."""
        return self.versions[self.labels[self.definition]]

    @property
    def current(self) -> str:
        return self.versions[self.stages[CURRENT]]

    def refused(self) -> list[str]:
        """Passwords that somebody has, or would start with, and that are not taken."""
        held = [copy.password for copy in self.copies]
        held += [] if self.busy else [self.pinned, self.current]
        return [one for one in held if one not in (self.first, self.second)]

    def release(self) -> None:
        """What `up` does to a service whose secret changed, copies of before still ending."""
        known = self.labels[self.definition] == self.stages[CURRENT]
        if not known or self.definition in self.unlabelled:
            self.definition = f"web:{len(self.labels) + 1}"
            self.labels[self.definition] = self.stages[CURRENT]
        self.start()
        for copy in self.copies:
            copy.ending = copy.definition != self.definition

    def start(self) -> None:
        """A copy more, by scaling or after a crash."""
        self.copies.append(Copy(self.pinned, self.definition))

    def end(self) -> None:
        """Copies that were ending have ended."""
        self.copies = [copy for copy in self.copies if not copy.ending]

    def _call(self, carry_out: Any) -> Any:
        def call(asked: Mapping[str, Any]) -> Mapping[str, Any]:
            self.calls += 1
            if (
                self.kill_at is not None
                and self.calls == self.kill_at // 2
                and not self.kill_at % 2
            ):
                raise Killed
            answer: Mapping[str, Any] = carry_out(asked)
            assert self.refused() == [], f"locked out: {self}"
            if self.elsewhere and self.calls == self.elsewhere[0]:
                (_, act), self.elsewhere, self.busy = self.elsewhere, None, True
                act()
            if self.kill_at is not None and self.calls == self.kill_at // 2:
                raise Killed
            return answer

        return call

    def _stack(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        return {
            "Stacks": [{"StackName": asked["StackName"], "StackId": "1", "CreationTime": at,
                        "StackStatus": f"UPDATE_{'IN_PROGRESS' if self.releasing else 'COMPLETE'}"}]
        }  # fmt: skip

    def _resources(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        known = {
            "DbCluster": ("AWS::RDS::DBCluster", CLUSTER),
            "DbDatabaseUser": ("AWS::SecretsManager::Secret", SECRET),
        }
        if str(asked["StackName"]).endswith("-release"):
            known = {
                "Cluster": ("AWS::ECS::Cluster", "c"),
                "WebTask": ("AWS::ECS::TaskDefinition", self.definition),
                **{name: ("AWS::ECS::TaskDefinition", name) for name in self.others},
            }
        at = datetime(2026, 11, 1, tzinfo=UTC)
        return {
            "StackResourceSummaries": [
                {"LogicalResourceId": id, "ResourceType": kind, "PhysicalResourceId": name,
                 "LastUpdatedTimestamp": at, "ResourceStatus": "UPDATE_COMPLETE"}
                for id, (kind, name) in known.items()
            ]
        }  # fmt: skip

    def _definition(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        name = str(asked["taskDefinition"])
        one = self.others.get(name) or self._container(name)
        return {"taskDefinition": {"containerDefinitions": [one]}}

    def _container(self, name: str) -> Mapping[str, Any]:
        made = {"name": "web", "secrets": [{"name": "DB_URL", "valueFrom": "composed:DB_URL::"}]}
        label = {"cordillera.secrets": f"SECRET_KEY=x {NAME}={self.labels[name]}"}
        return made if name in self.unlabelled else {**made, "dockerLabels": label}

    def _arns(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        stopped = asked["desiredStatus"] == "STOPPED"
        return {"taskArns": [str(n) for n, c in enumerate(self.copies) if c.ending is stopped]}

    def _tasks(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        some = [self.copies[int(arn)] for arn in asked["tasks"]]
        return {
            "tasks": [{"lastStatus": "RUNNING", "taskDefinitionArn": c.definition} for c in some]
        }

    def _cluster(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        one = {"DBClusterArn": f"arn:aws:rds:us-east-1:1:cluster:{CLUSTER}"}
        return {"DBClusters": [{**one, "MasterUserSecret": {"SecretArn": f"{SECRET}-master"}}]}

    def _statement(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        sql = str(asked["sql"])
        if sql == "ALTER USER 'db'@'%' DISCARD OLD PASSWORD":
            self.second = None
        elif found := BY.match(sql):
            self.first, self.second = found[1], self.first if found[2] else self.second
        else:
            assert sql.startswith(("CREATE DATABASE IF NOT", "CREATE USER IF NOT", "GRANT ALL"))
        return {}

    def _describe(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        assert asked["SecretId"] == SECRET
        if self.gone:
            raise answers.Refusal("ResourceNotFoundException", "can't find the specified secret.")
        named = {id: [s for s, v in self.stages.items() if v == id] for id in self.versions}
        return {"VersionIdsToStages": {id: names for id, names in named.items() if names}}

    def _value(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        id = asked.get("VersionId", self.stages[CURRENT])
        value = json.dumps({"username": "db", "password": self.versions[id]})
        return {"VersionId": id, "SecretString": value}

    def _put(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        made, known = json.loads(asked["SecretString"]), version(len(self.versions) + 1)
        assert made["username"] == "db" and asked["VersionStages"] == [PENDING]
        self.versions[known] = made["password"]
        self.stages[PENDING] = known
        return {"VersionId": known}

    def _move(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        stage, of = str(asked["VersionStage"]), str(asked["RemoveFromVersionId"])
        if self.stages.get(stage) != of:
            raise answers.Refusal("InvalidParameterException", f"{stage} is not on {of}")
        self.stages.pop(stage)
        if "MoveToVersionId" in asked:
            self.stages[stage] = str(asked["MoveToVersionId"])
        if stage == CURRENT:
            self.stages[PREVIOUS] = of
            if self.tidy and self.stages.get(PENDING) == self.stages[CURRENT]:
                self.stages.pop(PENDING)
        return {}


def killings(calls: int) -> Iterator[int]:
    """Each place where a command that makes so many calls may end before it is done."""
    yield from range(2, 2 * calls + 1)
