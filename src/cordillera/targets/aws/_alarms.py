"""One alarm, and the topic that it is sent to. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troposphere import Sub

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _keys
from cordillera.targets.aws._parts import AwsPart, Plain, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import EDGE, EDGE_REGION, OPERATIONS, STANDBY, Site

TOPICS = {
    OPERATIONS: Ref(OPERATIONS, "Alarms"),
    EDGE: Ref(EDGE, "EdgeAlarms"),
    STANDBY: Ref(STANDBY, "StandbyAlarms"),
}
"""An alarm is sent within its region: each stack with alarms has a topic."""
SENDERS = ("cloudwatch", "budgets")


@dataclass(frozen=True)
class Metric:
    """A metric of CloudWatch. `statistic` is Average, Maximum, Sum ... or a percentile such as p95."""

    namespace: str
    name: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    statistic: str = "Average"
    period_s: int = 60

    def properties(self) -> dict[str, Any]:
        """As an alarm holds it."""
        kind = "ExtendedStatistic" if self.statistic.startswith("p") else "Statistic"
        named = [{"Name": key, "Value": value} for key, value in self.dimensions.items()]
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": named,
            "Period": self.period_s,
            kind: self.statistic,
        }

    def query(self, id: str) -> dict[str, Any]:
        """As one term of a calculation."""
        named = [{"Name": key, "Value": value} for key, value in self.dimensions.items()]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": named}
        stat = {"Metric": metric, "Period": self.period_s, "Stat": self.statistic}
        return {"Id": id, "MetricStat": stat, "ReturnData": False}


@dataclass(frozen=True)
class Alarm:
    """Something that somebody must know. Without data it is well, unless `silence_is_bad`."""

    id: str
    what: str
    measured: Metric | Sequence[Mapping[str, Any]]
    """A metric, or the terms of a calculation."""
    above: float | None = None
    below: float | None = None
    minutes: int = 5
    silence_is_bad: bool = False

    def part(self, unit: str, *, silent: bool = False) -> AwsPart:
        """As a part of that stack; `silent` sends nothing, for alarms that only roll back."""
        limit = self.above if self.above is not None else self.below
        how = "GreaterThanThreshold" if self.above is not None else "LessThanThreshold"
        topic = [] if silent else [TOPICS[unit]]
        one = isinstance(self.measured, Metric)
        metric = self.measured.properties() if isinstance(self.measured, Metric) else {}
        period_s = self.measured.period_s if isinstance(self.measured, Metric) else 60
        properties = {
            "AlarmDescription": self.what,
            "ComparisonOperator": how,
            "Threshold": limit,
            "EvaluationPeriods": max(1, round(self.minutes * 60 / period_s)),
            "TreatMissingData": "breaching" if self.silence_is_bad else "notBreaching",
            **(metric if one else {"Metrics": list(self.measured)}),  # type: ignore[arg-type]
            **({"AlarmActions": topic, "OKActions": topic} if topic else {}),
        }
        return part("monitoring", unit, Plain("AWS::CloudWatch::Alarm", self.id, properties))


def share(parts: Sequence[Metric], of: Metric, label: str) -> list[dict[str, Any]]:
    """The terms of: how many in a hundred of `of` are one of `parts`. None of none is none."""
    terms = [metric.query(f"m{number}") for number, metric in enumerate(parts)]
    summed = "+".join(f"FILL(m{number},0)" for number in range(len(parts)))
    return [
        *terms,
        of.query("all"),
        {"Id": "share", "Expression": f"IF(all>0,100*({summed})/all,0)", "Label": label},
    ]


def topic(unit: str, want: Wanted, site: Site) -> Iterator[AwsPart]:
    """The topic of a stack, who may write to it, and the webhook that hears it."""
    made = TOPICS[unit]
    key = _key(unit, site)
    encrypted = {"KmsMasterKeyId": key} if key else {}
    yield part("monitoring", unit, Plain("AWS::SNS::Topic", made.id, encrypted))
    ours = {"Condition": {"StringEquals": {"aws:SourceAccount": Sub("${AWS::AccountId}")}}}
    writes = {**_writes(*SENDERS, to=made), **ours}
    # EventBridge names no account: with a condition it could not write.
    policy = {"Topics": [made], "PolicyDocument": document(writes, _writes("events", to=made))}
    yield part("monitoring", unit, Plain("AWS::SNS::TopicPolicy", f"{made.id}Policy", policy))
    if want.watch.webhook:
        hook = {"TopicArn": made, "Protocol": "https", "Endpoint": want.watch.webhook}
        named = camel(made.id, "webhook")
        yield part("monitoring", unit, Plain("AWS::SNS::Subscription", named, hook))


def _writes(*services: str, to: Ref) -> dict[str, Any]:
    who = {"Service": [f"{name}.amazonaws.com" for name in services]}
    return {"Effect": "Allow", "Principal": who, "Action": "sns:Publish", "Resource": to}


def _key(unit: str, site: Site) -> Ref | None:
    """The environment's key in the topic's region. CloudWatch may not use the key that SNS has."""
    if unit == STANDBY:
        return _keys.STANDBY_KEY
    return _keys.KEY if unit != EDGE or site.region == EDGE_REGION else None
