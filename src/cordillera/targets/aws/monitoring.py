"""Monitoring: CloudWatch alarms for what the environment has, a topic that tells them, a dashboard."""

from collections.abc import Iterator
from typing import Any

from cordillera.components.monitoring import AlarmSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import (
    _dashboard,
    _events,
    _release_alarms,
    _resource_alarms,
    _uptime,
    certificate,
    service,
)
from cordillera.targets.aws._alarms import Alarm, Metric, share, topic
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._public import DISTRIBUTION, behind_edge, public_service
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import EDGE, OPERATIONS, STANDBY, Site

OFFER = Offered(
    "CloudWatch alarms to `watch.webhook`; no Apdex, its thresholds stand for slow answers; own metrics "
    "in the embedded metric format, under the environment's name; no traces"
)

BUSY_PERCENT, ERRORS_PERCENT, EXPIRY_DAYS = 90.0, 1.0, 30.0
DAY_S = 86400


class Monitoring(Component):
    """Alarms are in the stack `operations`; CloudFront tells its numbers in us-east-1 only."""

    name = "monitoring"

    def parts(self, want: Wanted, site: Site) -> Parts:
        """What rolls back a release; the half that waits needs no more."""
        return list(_release_alarms.parts(want))

    def watching(self, others: Parts, want: Wanted, site: Site) -> Parts:
        if site.stands_by:
            return ()
        made = list(topic(OPERATIONS, want, site))
        made += [one.part(OPERATIONS) for one in _alarms(others, want, site)]
        made.append(part("monitoring", OPERATIONS, _dashboard.dashboard(want, site)))
        made += _events.parts(OPERATIONS)
        if want.watch.budget is not None:
            made.append(_events.budget(want.watch.budget, site))
        if behind_edge(want):
            made += [*topic(EDGE, want, site), *_at_edge(want, site)]
        if site.standby_region:
            made += [*topic(STANDBY, want, site), *_events.parts(STANDBY)]
        return made


def _alarms(others: Parts, want: Wanted, site: Site) -> Iterator[Alarm]:
    for name in want.services:
        yield from _service(name, want)
    public = public_service(want)
    if public is not None:
        yield from _balancer(public, want)
    if want.edge.domains and public is not None:
        yield _expiry("Certificate", certificate.CERTIFICATE)
    yield from _resource_alarms.of(others)
    for name, spec in want.watch.alarms.items():
        yield _own(name, spec, site)


def _service(name: str, want: Wanted) -> Iterator[Alarm]:
    of = {"ClusterName": service.CLUSTER, "ServiceName": service.service(name).get("Name")}
    for word, metric in (("busy", "CPUUtilization"), ("full", "MemoryUtilization")):
        yield Alarm(
            camel(name, word),
            f"service {name}: {metric} in percent, mean of all copies",
            Metric("AWS/ECS", metric, of),
            above=BUSY_PERCENT,
        )
    yield Alarm(
        camel(name, "too-few"),
        f"service {name}: copies that run",
        Metric("ECS/ContainerInsights", "RunningTaskCount", of, "Minimum"),
        below=want.services[name].scale.min,
        silence_is_bad=True,
    )


def _balancer(name: str, want: Wanted) -> Iterator[Alarm]:
    at = _release_alarms.at_balancer
    wrong = at(name, "HTTPCode_Target_5XX_Count", "Sum")
    balancers = {"LoadBalancer": wrong.dimensions["LoadBalancer"]}
    refused = Metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancers, "Sum")
    yield Alarm(
        "Errors",
        "answers that are errors of the app or the balancer, in percent",
        share([wrong, refused], at(name, "RequestCount", "Sum"), "errors in percent"),
        above=ERRORS_PERCENT,
    )
    yield Alarm(
        "SlowAnswers",
        "seconds within which 95 of 100 requests are answered",
        at(name, "TargetResponseTime", "p95"),
        above=_release_alarms.FRUSTRATED * want.watch.apdex.server,
    )
    yield Alarm(
        "SickCopies",
        f"copies of {name} that the balancer gets no good answer from",
        at(name, "UnHealthyHostCount", "Maximum"),
        above=0,
    )


def _at_edge(want: Wanted, site: Site) -> Iterator[AwsPart]:
    seen: dict[str, Any] = {"DistributionId": DISTRIBUTION, "Region": "Global"}
    yield Alarm(
        "EdgeErrors",
        "answers at the edge that are errors, in percent",
        Metric("AWS/CloudFront", "5xxErrorRate", seen),
        above=ERRORS_PERCENT,
    ).part(EDGE)
    if certificate.at_edge(want, site) == certificate.EDGE_CERTIFICATE:
        yield _expiry("EdgeCertificate", certificate.EDGE_CERTIFICATE).part(EDGE)
    yield from _uptime.parts(want)


def _expiry(id: str, issued: Ref) -> Alarm:
    """ACM renews by itself two months before; a month before it has plainly not."""
    metric = Metric(
        "AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": issued}, "Minimum", DAY_S
    )
    what = "days that the certificate is still good for: is the DNS record gone that renews it?"
    return Alarm(f"{id}Expires", what, metric, below=EXPIRY_DAYS, minutes=DAY_S // 60)


def namespace(site: Site) -> str:
    """Where the app's own metrics are looked for."""
    return f"Cordillera/{site.environment}"


def _own(name: str, spec: AlarmSpec, site: Site) -> Alarm:
    return Alarm(
        camel("own", name),
        f"{spec.metric}, a metric of the app",
        Metric(namespace(site), spec.metric),
        above=spec.above,
        below=None if spec.above is not None else spec.below if spec.below is not None else 0,
        minutes=max(1, round(spec.for_ / 60)),
    )
