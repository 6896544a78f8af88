"""Alarms that undo a release: ECS rolls back while one of them is raised. Pure.

They stand before the services, which name them; nobody is told, for the roll-back itself is told.
"""

from collections.abc import Iterator

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import balancer
from cordillera.targets.aws._alarms import Alarm, Metric, share
from cordillera.targets.aws._parts import AwsPart
from cordillera.targets.aws._public import public_service
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import FRONT

ERRORS_PERCENT, MINUTES = 5.0, 2
FRUSTRATED = 4
"""Apdex: who waits four times the threshold is frustrated."""


def names(service: str, want: Wanted) -> list[Ref]:
    """The alarms that undo a release of a service; only the public one is measured at the balancer."""
    return [Ref(FRONT, one.id) for one in _alarms(service, want)]


def parts(want: Wanted) -> Iterator[AwsPart]:
    """They, as parts of the stack `front`."""
    name = public_service(want)
    if name is not None:
        yield from (one.part(FRONT, silent=True) for one in _alarms(name, want))


def at_balancer(service: str, name: str, statistic: str) -> Metric:
    """A metric of the balancer about one service."""
    dimensions = {
        "LoadBalancer": balancer.LOAD_BALANCER.get("LoadBalancerFullName"),
        "TargetGroup": balancer.target_group(service).get("TargetGroupFullName"),
    }
    return Metric("AWS/ApplicationELB", name, dimensions, statistic)


def _alarms(service: str, want: Wanted) -> list[Alarm]:
    if public_service(want) != service:
        return []
    wrong = at_balancer(service, "HTTPCode_Target_5XX_Count", "Sum")
    every = at_balancer(service, "RequestCount", "Sum")
    slow_s = FRUSTRATED * want.watch.apdex.server
    return [
        Alarm(
            camel(service, "release-fails"),
            f"{service}: the app's own errors, during a release",
            share([wrong], every, "errors in percent"),
            above=ERRORS_PERCENT,
            minutes=MINUTES,
        ),
        Alarm(
            camel(service, "release-is-slow"),
            f"{service}: nearly all answers are slow, during a release",
            at_balancer(service, "TargetResponseTime", "p50"),
            above=slow_s,
            minutes=MINUTES,
        ),
    ]
