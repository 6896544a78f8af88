"""The last value of a metric: what AWS tells in no other way, such as a replica's lag."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws._live import Live

BACK = timedelta(minutes=10)
PERIOD_S = 60


def last(
    live: Live, namespace: str, metric: str, dimensions: Mapping[str, str], *, region: str = ""
) -> float | None:
    """The newest maximum of a minute; None when there is none in ten minutes. Never raises."""
    now = datetime.now(UTC)
    try:
        found = live.client("cloudwatch", region).get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - BACK,
            EndTime=now,
            Period=PERIOD_S,
            Statistics=["Maximum"],
        )["Datapoints"]
    except CordilleraError:
        return None
    newest = max(found, key=lambda point: point["Timestamp"], default=None)
    return float(newest["Maximum"]) if newest else None
