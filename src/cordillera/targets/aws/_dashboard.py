"""A page of CloudWatch with what one looks at first. Pure."""

import json
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _release_alarms, service
from cordillera.targets.aws._alarms import Metric
from cordillera.targets.aws._parts import Plain
from cordillera.targets.aws._public import DISTRIBUTION, behind_edge, public_service
from cordillera.targets.aws._refs import text
from cordillera.targets.aws._site import EDGE_REGION, Site

WIDTH, HEIGHT, COLUMNS = 8, 6, 3
MARK = "@@{}@@"


def dashboard(want: Wanted, site: Site) -> Plain:
    """Requests, answers, copies."""
    graphs = list(_graphs(want, site))
    placed = [_placed(number, graph) for number, graph in enumerate(graphs)]
    return Plain(
        "AWS::CloudWatch::Dashboard",
        "Dashboard",
        {
            "DashboardName": site.name("overview", limit=255),
            "DashboardBody": filled({"widgets": placed}),
        },
    )


def filled(value: Any) -> Any:
    """JSON text in which references are filled in by CloudFormation."""
    held: list[Any] = []

    def mark(one: Any) -> str:
        held.append(one)
        return MARK.format(len(held) - 1)

    body = json.dumps(value, default=mark, sort_keys=True)
    pieces: list[Any] = []
    for number, one in enumerate(held):
        before, _, body = body.partition(MARK.format(number))
        pieces += [before, one]
    return text(*pieces, body)


def _graphs(want: Wanted, site: Site) -> Any:
    name = public_service(want)
    if name is not None:
        at = _release_alarms.at_balancer
        yield "Requests", [at(name, "RequestCount", "Sum")], site.region
        yield "Errors", [at(name, "HTTPCode_Target_5XX_Count", "Sum")], site.region
        yield (
            "Seconds to an answer",
            [at(name, "TargetResponseTime", p) for p in ("p50", "p95", "p99")],
            site.region,
        )
    if behind_edge(want):
        seen = {"DistributionId": DISTRIBUTION, "Region": "Global"}
        rates = ("4xxErrorRate", "5xxErrorRate")
        edge = [Metric("AWS/CloudFront", rate, seen) for rate in rates]
        yield "Errors at the edge, percent", edge, EDGE_REGION
    for one in want.services:
        of = {"ClusterName": service.CLUSTER, "ServiceName": service.service(one).get("Name")}
        loads = [Metric("AWS/ECS", kind, of) for kind in ("CPUUtilization", "MemoryUtilization")]
        yield f"{one}: CPU and memory, percent", loads, site.region
        running = Metric("ECS/ContainerInsights", "RunningTaskCount", of)
        yield f"{one}: copies", [running], site.region


def _placed(number: int, graph: tuple[str, list[Metric], str]) -> dict[str, Any]:
    title, metrics, region = graph
    row, column = divmod(number, COLUMNS)
    return {
        "type": "metric",
        "x": column * WIDTH,
        "y": row * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "metrics": [_row(metric) for metric in metrics],
            "period": 60,
        },
    }


def _row(metric: Metric) -> list[Any]:
    named: list[Any] = []
    for key, value in metric.dimensions.items():
        named += [key, value]
    return [metric.namespace, metric.name, *named, {"stat": metric.statistic}]
