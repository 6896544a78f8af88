"""What one copy of a service is: an ECS task definition, its log, the variables with secrets in them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import ecs, logs, secretsmanager

from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _images, _keys, _mail_relay, _roles, _versions
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Mixed, Ref, Secret, Text, Value, camel, text
from cordillera.targets.aws._site import RELEASE, Site

LOG_DAYS = 30
STOP_GRACE_MAX_S = 120
MIB = 2**20
SIZES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (256, (512, 1024, 2048)),
    (512, tuple(range(1024, 4097, 1024))),
    (1024, tuple(range(2048, 8193, 1024))),
    (2048, tuple(range(4096, 16385, 1024))),
    (4096, tuple(range(8192, 30721, 1024))),
    (8192, tuple(range(16384, 61441, 4096))),
    (16384, tuple(range(32768, 122881, 8192))),
)
"""Fargate's sizes: CPU units (1024 are a core) and the megabytes that go with them."""


def definition(name: str) -> Ref:
    """The task definition of a service; one to itself for each release."""
    return Ref(RELEASE, camel(name, "task"))


def log(name: str) -> Ref:
    """The log group of a service."""
    return Ref(RELEASE, camel(name, "log"))


def size(name: str, spec: ServiceSpec) -> tuple[int, int]:
    """The smallest of Fargate's sizes with that CPU and memory. Raises Refused beyond the largest."""
    for cpu, memories in SIZES:
        for memory in memories:
            if cpu >= spec.cpu * 1024 and memory * MIB >= spec.memory:
                return cpu, memory
    raise Refused(
        f"service {name} asks for {spec.cpu:g} cores and {spec.memory // MIB} M, more than Fargate has",
        hint="ask for at most 16 cores and 120 G",
    )


def parts(name: str, want: Wanted, site: Site, values: Mapping[str, Value]) -> Iterator[AwsPart]:
    """Log, composed secret, task definition."""
    group = logs.LogGroup(log(name).id, RetentionInDays=LOG_DAYS, KmsKeyId=_keys.KEY.get("Arn"))
    yield part("service", RELEASE, group)
    mixed = {key: value for key, value in values.items() if isinstance(value, Mixed)}
    if mixed:
        yield part("service", RELEASE, _composed(name, mixed))
    yield part("service", RELEASE, _definition(name, want, site, values))


def _definition(name: str, want: Wanted, site: Site, values: Mapping[str, Value]) -> Any:
    spec = want.services[name]
    cpu, memory = size(name, spec)
    return ecs.TaskDefinition(
        definition(name).id,
        Family=site.name(name, limit=200),
        Cpu=str(cpu),
        Memory=str(memory),
        NetworkMode="awsvpc",
        RequiresCompatibilities=["FARGATE"],
        RuntimePlatform=ecs.RuntimePlatform(
            CpuArchitecture=spec.architecture.upper(), OperatingSystemFamily="LINUX"
        ),
        ExecutionRoleArn=_roles.starting(name).get("Arn"),
        TaskRoleArn=_roles.running(name).get("Arn"),
        ContainerDefinitions=[_container(name, want, site, values)],
        **_mail_relay.volumes(name, want),
        # The release before stays: rolling back needs a definition that is still active.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Retain",
    )


def _container(name: str, want: Wanted, site: Site, values: Mapping[str, Value]) -> Any:
    spec = want.services[name]
    more: dict[str, Any] = {"Command": ["/bin/sh", "-c", spec.command]} if spec.command else {}
    relay = _mail_relay.container(name, want)
    protocol = {} if relay else {"AppProtocol": "http"}
    if not site.stands_by and (labels := _versions.label(values.values())):
        more["DockerLabels"] = labels
    return ecs.ContainerDefinition(
        Name=name,
        Image=_images.image(name, want),
        Essential=True,
        PortMappings=[ecs.PortMapping(ContainerPort=spec.port, Name=name, **protocol)],
        Environment=[
            ecs.Environment(Name=key, Value=value)
            for key, value in sorted(values.items())
            if not isinstance(value, Secret | Mixed)
        ],
        Secrets=[
            ecs.Secret(Name=key, ValueFrom=_value_from(name, key, value))
            for key, value in sorted(values.items())
            if isinstance(value, Secret | Mixed)
        ],
        LogConfiguration=_log_configuration(name, site),
        LinuxParameters=ecs.LinuxParameters(InitProcessEnabled=True),
        StopTimeout=min(STOP_GRACE_MAX_S, round(spec.stop_grace)),
        VersionConsistency="enabled",
        **relay,
        **more,
    )


def _log_configuration(name: str, site: Site) -> Any:
    # An app must not wait for its log: what does not fit the buffer is dropped.
    options = {
        "awslogs-group": log(name),
        "awslogs-region": site.region,
        "awslogs-stream-prefix": name,
        "mode": "non-blocking",
        "max-buffer-size": "4m",
    }
    return ecs.LogConfiguration(LogDriver="awslogs", Options=options)


def _value_from(name: str, key: str, value: Secret | Mixed) -> Text:
    if isinstance(value, Mixed):
        made: Text = text(_roles.composed(name), f":{key}::")
        return made
    with_key: Text = text(value.arn, f":{value.key}::")
    return with_key if value.key else value.arn


def _composed(name: str, mixed: Mapping[str, Mixed]) -> Any:
    """CloudFormation fills the secrets in: no template and no task definition ever holds them."""
    pieces: list[Any] = ["{"]
    for index, (key, value) in enumerate(sorted(mixed.items())):
        pieces.append(f'{", " if index else ""}{json.dumps(key)}: "')
        pieces += [_resolved(p) if isinstance(p, Secret) else _escaped(p) for p in value.pieces]
        pieces.append('"')
    return secretsmanager.Secret(
        _roles.composed(name).id,
        Description=f"Variables of {name} in which secrets occur",
        KmsKeyId=_keys.KEY,
        SecretString=text(*pieces, "}"),
    )


def _resolved(secret: Secret) -> Any:
    # A secret's name with an ending is not known here; what Ref tells of it is its ARN, which resolves too.
    # CloudFormation looks again only when the reference itself has changed.
    start = "{{resolve:secretsmanager:"
    return text(start, secret.arn, f":SecretString:{secret.key}::", secret.version, "}}")


def _escaped(piece: Text) -> Text:
    return json.dumps(piece)[1:-1] if isinstance(piece, str) else piece
