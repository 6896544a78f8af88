"""Copies follow the load: target tracking on CPU, memory and requests."""

from collections.abc import Iterator
from typing import Any

from troposphere import applicationautoscaling as scaling

from cordillera.components.service import ServiceSpec, TargetSpec
from cordillera.targets.aws import balancer
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, Text, camel, text
from cordillera.targets.aws._site import APP

OUT_COOLDOWN_S, IN_COOLDOWN_S = 30, 300


def parts(name: str, spec: ServiceSpec, cluster: Ref, service: Ref) -> Iterator[AwsPart]:
    """Nothing for a service of a fixed size."""
    if spec.scale.max <= spec.scale.min or spec.scale.target is None:
        return
    goal = Ref(APP, camel(name, "scalable"))
    made = scaling.ScalableTarget(
        goal.id,
        MinCapacity=spec.scale.min,
        MaxCapacity=spec.scale.max,
        ResourceId=text("service/", cluster, "/", service.get("Name")),
        ScalableDimension="ecs:service:DesiredCount",
        ServiceNamespace="ecs",
    )
    yield part("service", APP, made)
    for metric, value, label in _goals(name, spec.scale.target):
        yield part("service", APP, _policy(name, metric, value, label, goal))


def _goals(name: str, target: TargetSpec) -> Iterator[tuple[str, float, Text]]:
    if target.cpu is not None:
        yield "ECSServiceAverageCPUUtilization", target.cpu, ""
    if target.memory is not None:
        yield "ECSServiceAverageMemoryUtilization", target.memory, ""
    if target.requests is not None:
        per_minute = target.requests * 60
        label = text(
            balancer.LOAD_BALANCER.get("LoadBalancerFullName"),
            "/",
            balancer.target_group(name).get("TargetGroupFullName"),
        )
        yield "ALBRequestCountPerTarget", per_minute, label


def _policy(name: str, metric: str, value: float, label: Text, goal: Ref) -> Any:
    more = {"ResourceLabel": label} if label != "" else {}
    return scaling.ScalingPolicy(
        camel(name, "scale-by", metric.removeprefix("ECSServiceAverage")),
        PolicyName=metric,
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=goal,
        TargetTrackingScalingPolicyConfiguration=scaling.TargetTrackingScalingPolicyConfiguration(
            PredefinedMetricSpecification=scaling.PredefinedMetricSpecification(
                PredefinedMetricType=metric, **more
            ),
            TargetValue=value,
            ScaleOutCooldown=OUT_COOLDOWN_S,
            ScaleInCooldown=IN_COOLDOWN_S,
        ),
    )
