"""Checks from many places of the world that the published address answers: Route 53's."""

from collections.abc import Iterator
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.targets.aws._alarms import Alarm, Metric
from cordillera.targets.aws._parts import AwsPart, Plain, part
from cordillera.targets.aws._public import DISTRIBUTION
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import EDGE

CHECK = Ref(EDGE, "Uptime")
QUICK_S, PLAIN_S = 10, 30


def parts(want: Wanted) -> Iterator[AwsPart]:
    """Nothing where the firewall lets only some networks in: the checkers are not among them."""
    if want.edge.firewall.allow:
        return
    spec = want.watch.uptime
    host: Any = want.edge.domains[0] if want.edge.domains else DISTRIBUTION.get("DomainName")
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": host,
        "Port": 443,
        "ResourcePath": spec.path,
        "RequestInterval": QUICK_S if spec.every < PLAIN_S else PLAIN_S,
        "FailureThreshold": spec.confirm,
        "EnableSNI": True,
    }
    check = Plain("AWS::Route53::HealthCheck", CHECK.id, {"HealthCheckConfig": config})
    yield part("monitoring", EDGE, check)
    asked = {"HealthCheckId": CHECK}
    yield Alarm(
        "Down",
        "1 while the published address answers from outside",
        Metric("AWS/Route53", "HealthCheckStatus", asked, "Minimum"),
        below=1,
        minutes=1,
        silence_is_bad=True,
    ).part(EDGE)
