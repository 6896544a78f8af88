"""Two roles for each service: what starts its copies, and what the app in them may do."""

from collections.abc import Iterable, Mapping
from typing import Any

from troposphere import Sub, iam

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _ecr, _images, _keys, _mail_relay, _resources
from cordillera.targets.aws._component import Statement
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import allow, document, trust
from cordillera.targets.aws._refs import Mixed, Ref, Secret, Value, camel, text
from cordillera.targets.aws._site import RELEASE, Site

TASKS = "ecs-tasks.amazonaws.com"
SHELL = [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
]
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]


def starting(name: str) -> Ref:
    """The role with which ECS starts a copy."""
    return Ref(RELEASE, camel(name, "starting-role"))


def running(name: str) -> Ref:
    """The role of the app itself."""
    return Ref(RELEASE, camel(name, "running-role"))


def roles(name: str, want: Wanted, site: Site, values: Mapping[str, Value]) -> list[AwsPart]:
    """Both roles of a service."""
    start = list(_start(name, want, values))
    run = [allow(SHELL, "*")]
    for resource in want.services[name].resources:
        run += _resources.access(want, site, resource)
    run += _mail_relay.access(name, want)
    return [
        part("service", RELEASE, _role(starting(name).id, "start", start)),
        part("service", RELEASE, _role(running(name).id, "run", run)),
    ]


def _role(id: str, purpose: str, statements: Iterable[Statement]) -> Any:
    return iam.Role(
        id,
        AssumeRolePolicyDocument=trust(
            TASKS,
            Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        ),
        Policies=[iam.Policy(PolicyName=purpose, PolicyDocument=document(*statements))],
    )


def _start(name: str, want: Wanted, values: Mapping[str, Value]) -> Iterable[Statement]:
    log = Ref(RELEASE, camel(name, "log")).get("Arn")
    yield allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log])
    repository = _repository(name, want)
    if repository is not None:
        yield allow(["ecr:GetAuthorizationToken"], "*")
        yield allow(PULL, [repository])
    read = secrets_of(name, values)
    if read:
        yield allow(["secretsmanager:GetSecretValue"], read)
        yield allow(["kms:Decrypt"], [_keys.KEY.get("Arn")])


def _repository(name: str, want: Wanted) -> Any:
    """The ARN of the repository in ECR that a service's image lies in; None for one that lies elsewhere."""
    image = want.services[name].image
    if not image:
        return _images.repository(name).get("Arn")
    found = _ecr.parsed(image)
    if found is None:
        return None
    return Sub(
        f"arn:${{AWS::Partition}}:ecr:{found.region}:{found.registry}:repository/{found.repository}"
    )


def secrets_of(name: str, values: Mapping[str, Value]) -> list[Any]:
    """What may be read to start a copy; a name without its ending stands for whatever ending it has."""
    found: list[Any] = []
    for value in values.values():
        one = composed(name) if isinstance(value, Mixed) else value
        arn = one.arn if isinstance(one, Secret) else one if isinstance(value, Mixed) else None
        if arn is not None and (known := _with_ending(arn)) not in found:
            found.append(known)
    return found


def composed(name: str) -> Ref:
    """The secret that holds those of a service's variables in which secrets occur."""
    return Ref(RELEASE, camel(name, "variables"))


def _with_ending(arn: Any) -> Any:
    return text(arn, "-??????") if isinstance(arn, Sub) else arn
