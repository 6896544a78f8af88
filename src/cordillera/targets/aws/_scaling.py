"""Copies follow the load: target tracking on CPU and memory every 20 seconds, on requests, on queues."""

from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import applicationautoscaling as scaling

from cordillera.components.service import ServiceSpec, TargetSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _resources, balancer
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, Text, camel, text
from cordillera.targets.aws._site import APP, Site

OUT_COOLDOWN_S, IN_COOLDOWN_S = 30, 300
QUICK_S = 20
"""How often ECS measures CPU and memory of a service that scales on them; 60 s is the usual."""

Config = scaling.TargetTrackingScalingPolicyConfiguration


def follows(spec: ServiceSpec) -> bool:
    """Whether its number of copies is steered, and not fixed."""
    return spec.scale.max > spec.scale.min and spec.scale.target is not None


def quick_metrics(spec: ServiceSpec) -> list[str]:
    """What ECS must measure every 20 seconds for it."""
    target = spec.scale.target if follows(spec) else None
    wanted = {
        "CPUUtilization": target and target.cpu,
        "MemoryUtilization": target and target.memory,
    }
    return [name for name, goal in wanted.items() if goal is not None]


def parts(name: str, want: Wanted, site: Site, cluster: Ref, service: Ref) -> Iterator[AwsPart]:
    """Nothing for a service of a fixed size."""
    spec = want.services[name]
    if not follows(spec) or spec.scale.target is None:
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
    for metric, config in _goals(name, spec.scale.target):
        yield part("service", APP, _policy(name, metric, config, goal))
    for queue, waiting in spec.scale.target.queue.items():
        called = _resources.fields(want, site, queue).get("name")
        if called is not None:  # nothing to follow where queues are not built
            backlog = _backlog(called, cluster, service.get("Name"))
            config = _config(waiting, CustomizedMetricSpecification=backlog)
            yield part("service", APP, _policy(name, f"Queue{camel(queue)}", config, goal))


def raise_to_least(spec: ServiceSpec, live: Live, cluster: Ref, service: Ref) -> None:
    """A new service that is steered begins with one copy: have the least there at once."""
    tasks = live.client("ecs")
    where = {"cluster": live.physical(cluster)}
    found = tasks.describe_services(**where, services=[live.physical(service)])["services"]
    if found and int(found[0]["desiredCount"]) < spec.scale.min:
        tasks.update_service(**where, service=live.physical(service), desiredCount=spec.scale.min)


def _goals(name: str, target: TargetSpec) -> Iterator[tuple[str, Any]]:
    for metric, goal in (("CPU", target.cpu), ("Memory", target.memory)):
        if goal is not None:
            kind = f"ECSServiceAverage{metric}UtilizationHighResolution"
            yield f"{metric}Utilization", _predefined(kind, goal)
    if target.requests is not None:
        label = text(
            balancer.LOAD_BALANCER.get("LoadBalancerFullName"),
            "/",
            balancer.target_group(name).get("TargetGroupFullName"),
        )
        kind = "ALBRequestCountPerTarget"
        yield kind, _predefined(kind, target.requests * 60, ResourceLabel=label)


def _predefined(kind: str, value: float, **more: Text) -> Any:
    metric = scaling.PredefinedMetricSpecification(PredefinedMetricType=kind, **more)
    return _config(value, PredefinedMetricSpecification=metric)


def _backlog(queue: Any, cluster: Ref, service: Ref) -> Any:
    """Messages that wait, per copy that runs. Container Insights counts the copies."""
    waiting = _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
    running = _metric(
        "ECS/ContainerInsights",
        "RunningTaskCount",
        {"ClusterName": cluster, "ServiceName": service},
    )
    query = scaling.TargetTrackingMetricDataQuery
    return scaling.CustomizedMetricSpecification(
        Metrics=[
            query(Id="waiting", MetricStat=waiting("Sum"), ReturnData=False),
            query(Id="running", MetricStat=running("Average"), ReturnData=False),
            query(
                Id="backlog",
                Expression="waiting / IF(FILL(running, 1) > 0, FILL(running, 1), 1)",
                Label="messages waiting per copy",
                ReturnData=True,
            ),
        ]
    )


def _metric(namespace: str, name: str, dimensions: Mapping[str, Any]) -> Any:
    found = scaling.TargetTrackingMetric(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[
            scaling.TargetTrackingMetricDimension(Name=key, Value=value)
            for key, value in dimensions.items()
        ],
    )
    return lambda stat: scaling.TargetTrackingMetricStat(Metric=found, Stat=stat)


def _config(value: float, **metric: Any) -> Any:
    return Config(
        TargetValue=value,
        ScaleOutCooldown=OUT_COOLDOWN_S,
        ScaleInCooldown=IN_COOLDOWN_S,
        **metric,
    )


def _policy(name: str, metric: str, config: Any, goal: Ref) -> Any:
    return scaling.ScalingPolicy(
        camel(name, "scale-by", metric),
        PolicyName=metric,
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=goal,
        TargetTrackingScalingPolicyConfiguration=config,
    )
