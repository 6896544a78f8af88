"""Services: ECS on Fargate, spread over the zones; a bad release is rolled back by the circuit breaker.

What a release consists of (roles, task definitions) is a stack before the one that rolls it out, so that
release commands run between the two.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import ecs, servicediscovery

from cordillera.components.service import ServiceSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import (
    _crashes,
    _discovery,
    _groups,
    _images,
    _mail_relay,
    _once,
    _push,
    _release_alarms,
    _roles,
    _scaling,
    _tasks,
    _variables,
    balancer,
    network,
)
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import APP, RELEASE, Site

OFFER = Offered("on Fargate: an image, or a Dockerfile")

CLUSTER, NAMESPACE = Ref(RELEASE, "Cluster"), Ref(RELEASE, "Namespace")


def service(name: str) -> Ref:
    """The ECS service of a service."""
    return Ref(APP, camel(name, "service"))


class Services(Component):
    """Cluster, repositories, task definitions and services."""

    name = "service"

    def parts(self, want: Wanted, site: Site) -> Parts:
        made = [*_images.repositories(want, site), *_cluster(site), *_discovery.parts(want, site)]
        for name, spec in want.services.items():
            values = _variables.variables(name, want, site)
            made += _roles.roles(name, want, site, values)
            made += _tasks.parts(name, want, site, values)
            made.append(part("service", APP, _service(name, spec, want, site)))
            made += _scaling.parts(name, want, site, CLUSTER, service(name))
        return made

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """Images that are built are in their repositories before a task definition names them."""
        if unit == RELEASE:
            for name, spec in want.services.items():
                if not spec.image:
                    _push.push(name, want, live)

    def after(self, unit: str, want: Wanted, live: Live) -> None:
        """The release commands, each once for a release; and as many copies as there must be at least."""
        if unit == RELEASE:
            for name, spec in want.services.items():
                if spec.release:
                    _once.release(name, spec.release, want, live)
        if unit == APP:
            for name, spec in want.services.items():
                if _scaling.follows(spec):
                    _scaling.raise_to_least(spec, live, CLUSTER, service(name))

    def trouble(self, unit: str, want: Wanted, live: Live) -> str:
        """A copy that ends again and again is told after its second end, with its last lines."""
        return _crashes.told(want, live, CLUSTER) if unit == APP else ""

    def cause(self, unit: str, id: str, want: Wanted, live: Live) -> str:
        """What a copy of a service that failed said last: its deployment is rolled back without a word."""
        names = [name for name in want.services if service(name) == Ref(unit, id)]
        return _crashes.told(want, live, CLUSTER, of=names, ends=1) if names else ""

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        """Task definitions of releases before; CloudFormation deletes the last one itself."""
        if unit == RELEASE:
            _once.forget_definitions(want, live)


def _cluster(site: Site) -> Iterator[AwsPart]:
    insights = ecs.ClusterSetting(Name="containerInsights", Value="enabled")
    made = ecs.Cluster(
        CLUSTER.id,
        ClusterSettings=[insights],
        CapacityProviders=["FARGATE", "FARGATE_SPOT"],
    )
    yield part("service", RELEASE, made)
    yield part(
        "service",
        RELEASE,
        servicediscovery.HttpNamespace(NAMESPACE.id, Name=site.name("services", limit=100)),
    )


def _service(name: str, spec: ServiceSpec, want: Wanted, site: Site) -> Any:
    more: dict[str, Any] = {}
    if spec.public:
        more = {
            "LoadBalancers": [
                ecs.LoadBalancer(
                    ContainerName=name,
                    ContainerPort=spec.port,
                    TargetGroupArn=balancer.target_group(name),
                )
            ],
            "HealthCheckGracePeriodSeconds": round(spec.health.start if spec.health else 60),
        }
    return ecs.Service(
        service(name).id,
        Cluster=CLUSTER,
        TaskDefinition=_tasks.definition(name),
        **_capacity(spec),
        PlatformVersion="LATEST",
        AvailabilityZoneRebalancing="DISABLED" if name in _mail_relay.relays(want) else "ENABLED",
        EnableExecuteCommand=True,
        PropagateTags="SERVICE",
        DeploymentConfiguration=_deployment(name, want),
        NetworkConfiguration=network_of(name, want, site),
        ServiceConnectConfiguration=_reached(name, spec),
        **_quick_metrics(spec),
        **({"ServiceRegistries": _discovery.registered(name)} if _groups.listens(spec) else {}),
        **more,
    )


def _capacity(spec: ServiceSpec) -> dict[str, Any]:
    """A service that follows its load keeps the number it has found: an update must not reset it."""
    made: dict[str, Any] = {} if _scaling.follows(spec) else {"DesiredCount": spec.scale.min}
    if not spec.spot:
        return {**made, "LaunchType": "FARGATE"}
    strategy = [
        ecs.CapacityProviderStrategyItem(CapacityProvider="FARGATE", Base=1, Weight=0),
        ecs.CapacityProviderStrategyItem(CapacityProvider="FARGATE_SPOT", Weight=1),
    ]
    return {**made, "CapacityProviderStrategy": strategy}


def _quick_metrics(spec: ServiceSpec) -> dict[str, Any]:
    """Every 20 seconds what scaling looks at."""
    names = _scaling.quick_metrics(spec)
    if not names:
        return {}
    one = ecs.MetricConfiguration(MetricNames=names, ResolutionSeconds=_scaling.QUICK_S)
    return {"Monitoring": ecs.MonitoringConfiguration(MetricConfigurations=[one])}


def _deployment(name: str, want: Wanted) -> Any:
    """All old copies stay until as many new ones are well; an alarm undoes the release as well.

    A mail relay has as many queues as copies: there a new copy takes the queue of the one that ended.
    ECS moves no copies between zones where there may never be one too many, so that is off for relays.
    """
    alarms = _release_alarms.names(name, want)
    undo = ecs.DeploymentAlarms(AlarmNames=alarms, Enable=True, Rollback=True)
    least, most = (50, 100) if name in _mail_relay.relays(want) else (100, 200)
    return ecs.DeploymentConfiguration(
        MinimumHealthyPercent=least,
        MaximumPercent=most,
        DeploymentCircuitBreaker=ecs.DeploymentCircuitBreaker(Enable=True, Rollback=True),
        **({"Alarms": undo} if alarms else {}),
    )


def network_of(name: str, want: Wanted, site: Site) -> Any:
    """Where a service's copies live."""
    kind = network.task_subnets(want)
    return ecs.NetworkConfiguration(
        AwsvpcConfiguration=ecs.AwsvpcConfiguration(
            Subnets=network.subnets(kind, site),
            SecurityGroups=_groups.of_tasks(name),
            AssignPublicIp="ENABLED" if kind == "public" else "DISABLED",
        )
    )


def _reached(name: str, spec: ServiceSpec) -> Any:
    """Others of the environment reach it as `http://NAME:PORT`; every copy may call the others."""
    offered = []
    if _groups.listens(spec):
        alias = ecs.ServiceConnectClientAlias(DnsName=name, Port=spec.port)
        offered = [ecs.ServiceConnectService(PortName=name, ClientAliases=[alias])]
    more = {"Services": offered} if offered else {}
    return ecs.ServiceConnectConfiguration(Enabled=True, Namespace=NAMESPACE.get("Arn"), **more)
