"""Our own rules hold for every template, and find the faults they are there for."""

import json
from typing import Any

import pytest

from tests.targets.aws import examples, rules


@pytest.mark.parametrize("app", sorted(examples.OVERLAYS))
def test_templates_break_none_of_our_rules(app: str) -> None:
    found = {unit: rules.findings(json.loads(text)) for unit, text in examples.golden(app)}

    assert {unit: broken for unit, broken in found.items() if broken} == {}


FAULTS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("network", "FlowLogGroup", ("Properties", "RetentionInDays"), "keeps its lines for ever"),
    ("edge", "EdgeLogs", ("Properties", "BucketEncryption"), "is not encrypted"),
    ("edge", "EdgeLogs", ("Properties", "PublicAccessBlockConfiguration"), "made public"),
    ("edge", "EdgeLogs", ("DeletionPolicy",), "goes with its stack"),
    ("edge", "EdgeFirewallLogging", ("Properties", "RedactedFields"), "visitors keep secret"),
    ("edge", "Distribution", ("Properties", "DistributionConfig", "WebACLId"), "no firewall"),
    ("operations", "WebBusy", ("Properties", "AlarmActions"), "tells nobody"),
    ("operations", "WebBusy", ("Properties", "MetricName"), "either a metric or a calculation"),
)


@pytest.mark.parametrize(("unit", "id", "path", "sentence"), FAULTS)
def test_a_fault_is_found(unit: str, id: str, path: tuple[str, ...], sentence: str) -> None:
    body = json.loads(dict(examples.golden("newsroom"))[unit])
    place: Any = body["Resources"][id]
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]

    assert any(sentence in found for found in rules.findings(body))


def test_a_cluster_without_engine_is_found() -> None:
    body = {"Resources": {"Db": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Snapshot"}}}

    assert rules.findings(body) == ["Db has no Engine"]
