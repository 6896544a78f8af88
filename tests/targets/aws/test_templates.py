"""Templates: always the same, what the linter accepts, within the limits, rightly referring."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from troposphere import ec2

from cordillera.core.errors import CordilleraError, Refused
from cordillera.targets.aws import _draft, _roles, _stack, _tasks, queue
from cordillera.targets.aws._parts import part
from cordillera.targets.aws._site import Site, site_of
from tests.targets.aws import create_only, examples

APPS = sorted(examples.OVERLAYS)
LINTED_FOR = ["us-east-1", "us-west-1", "eu-central-1"]
SUPPRESSED = frozenset[str]()
"""Rules of the linter that are left out, each with a reason beside it."""


@pytest.mark.parametrize("app", APPS)
def test_templates_are_the_golden_ones(app: str, tmp_path: Path) -> None:
    made = {unit: one.readable for unit, one in examples.templates(app, tmp_path).items()}

    assert made == dict(examples.golden(app)), "read it, then: python -m tests.targets.aws.examples"


@pytest.mark.parametrize("app", APPS)
def test_the_linter_finds_nothing(app: str) -> None:
    assert _linted(app) == []


@pytest.mark.slow
@pytest.mark.parametrize("outbound", ["single", "none"])
def test_the_linter_finds_nothing_in_other_ways_out(outbound: str, tmp_path: Path) -> None:
    made = examples.templates(
        "hello", tmp_path, zones=3, network={"outbound": outbound, "endpoints": ["ecr-api"]}
    )

    assert [f for one in made.values() for f in findings(one.text)] == []


@pytest.mark.slow
def test_the_linter_finds_nothing_in_cheaper_capacity_and_scaling_by_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue.Queue, "fields", lambda *_: {"name": "jobs"})
    services = {"worker": {"spot": True, "architecture": "arm64"}}

    made = examples.templates("newsroom", tmp_path, services=services)

    assert [f for one in made.values() for f in findings(one.text)] == []
    policy = made["app"].body["Resources"]["WorkerScaleByQueueJobs"]["Properties"]
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    assert config["TargetValue"] == 100
    metrics = config["CustomizedMetricSpecification"]["Metrics"]
    assert [one["Id"] for one in metrics if one["ReturnData"]] == ["backlog"]


def test_what_scales_on_cpu_is_measured_every_twenty_seconds(tmp_path: Path) -> None:
    app = examples.templates("newsroom", tmp_path)["app"].body["Resources"]

    assert app["WebService"]["Properties"]["Monitoring"]["MetricConfigurations"] == [
        {"MetricNames": ["CPUUtilization"], "ResolutionSeconds": 20}
    ]
    config = app["WebScaleByCPUUtilization"]["Properties"]
    metric = config["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric["PredefinedMetricType"] == "ECSServiceAverageCPUUtilizationHighResolution"
    assert "DesiredCount" not in app["WebService"]["Properties"]


def test_an_image_in_a_registry_of_ecr_may_be_pulled_and_nothing_else(tmp_path: Path) -> None:
    there = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/hello:1"
    images = {"web": {"image": there}, "api": {"image": "hello:1", "health": "/"}}
    made = examples.templates("hello", tmp_path, services=images)["release"].body["Resources"]

    pulls = {id: _statements(made[f"{id}StartingRole"], "ecr:") for id in ("Web", "Api")}
    assert pulls["Api"] == []
    login, pull = pulls["Web"]
    assert (login["Action"], login["Resource"]) == (["ecr:GetAuthorizationToken"], "*")
    assert set(pull["Action"]) == set(_roles.PULL)
    assert pull["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:ecr:eu-west-1:222222222222:repository/team/hello"}
    ]


def _statements(role: dict[str, Any], begin: str) -> list[dict[str, Any]]:
    document = role["Properties"]["Policies"][0]["PolicyDocument"]
    return [one for one in document["Statement"] if one["Action"][0].startswith(begin)]


def test_a_reference_into_another_stack_is_a_parameter_filled_from_its_output(
    tmp_path: Path,
) -> None:
    made = examples.templates("hello", tmp_path)
    group = made["app"].body["Resources"]["WebService"]["Properties"]["LoadBalancers"][0]

    assert group["TargetGroupArn"] == {"Ref": "FrontWebTargetGroup"}
    assert made["front"].body["Outputs"]["WebTargetGroup"] == {"Value": {"Ref": "WebTargetGroup"}}
    assert all("Export" not in str(one.body) for one in made.values())


def test_stacks_are_ordered_by_what_they_refer_to(tmp_path: Path) -> None:
    order = _stack.waves(examples.templates("newsroom", tmp_path))

    assert order[0] == ("account", "account-standby", "network", "standby")
    place = {unit: number for number, wave in enumerate(order) for unit in wave}
    assert place["release"] < place["app"] < place["operations"]
    assert place["data"] < place["standby-app"]


def test_a_new_image_touches_the_release_and_the_app_only(tmp_path: Path) -> None:
    image = {"services": {"web": {"image": "hello:1"}}}
    old = examples.templates("hello", tmp_path / "old", **image)
    image["services"]["web"]["image"] = "hello:2"
    want = examples.wanted("hello", tmp_path / "new", **image)
    draft = _draft.draft(want, site_of(want))

    _draft.offline(draft, {unit: dict(one.body) for unit, one in old.items()})

    assert draft.touched == (("release",), ("app",))
    changed = {c.name: c.effect.name for found in draft.changes.values() for c in found}
    assert changed == {"WebTask": "REPLACE", "WebService": "UPDATE"}


def test_a_stack_beyond_a_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stack, "RESOURCES_MAX", 10)

    with pytest.raises(CordilleraError, match="the stack network would have"):
        examples.templates("hello", tmp_path)


def test_what_holds_data_outlives_its_stack(tmp_path: Path) -> None:
    for app in APPS:
        want = examples.wanted(app, tmp_path / app)
        draft = _draft.draft(want, site_of(want))
        for one in draft.parts:
            made = draft.templates[one.unit].body["Resources"][one.name]
            assert not one.holds_data or "UpdateReplacePolicy" in made


def test_fargate_has_a_size_for_it_or_says_so(tmp_path: Path) -> None:
    spec = examples.wanted("hello", tmp_path).services["web"]

    assert _tasks.size("web", spec) == (256, 512)
    with pytest.raises(Refused, match="more than Fargate has"):
        _tasks.size("web", spec.model_copy(update={"cpu": 32}))


def test_names_are_short_enough_and_stay_apart() -> None:
    one, two = (Site("app", f"{'c' * 31}/{stage}", "us-east-1") for stage in ("a" * 31, "b" * 31))

    assert len(one.name("balancer", limit=32)) <= 32
    assert one.name("balancer", limit=32) != two.name("balancer", limit=32)


def test_the_table_of_what_cannot_change_is_fresh() -> None:
    fresh = create_only.text()

    assert create_only.TABLE.read_text() == fresh, "run python tests/targets/aws/create_only.py"


def _linted(app: str) -> list[str]:
    return [found for _, text in examples.golden(app) for found in findings(text)]


@cache
def findings(text: str) -> list[str]:
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode.decode import decode_str
    from cfnlint.runner import run_template_by_data

    template, unreadable = decode_str(json.dumps(json.loads(text)))
    assert not unreadable
    found: Any = run_template_by_data(template, ConfigMixIn(regions=LINTED_FOR), _rules())
    told = [(f.rule.id, getattr(f, "path", "whole"), f.message) for f in found]
    return [f"{id} {path}: {why}" for id, path, why in told if id not in SUPPRESSED]


@cache
def _rules() -> Any:
    """Every rule of the linter: reading them takes longer than most templates."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(regions=LINTED_FOR)).rules


def test_a_resource_without_what_it_must_have_is_no_part() -> None:
    with pytest.raises(ValueError, match="Subnet Lost lacks VpcId"):
        part("network", "network", ec2.Subnet("Lost"))


def test_a_plan_loads_nothing_that_could_ask_somebody() -> None:
    code = "import sys, cordillera.targets.aws.target, cordillera.targets.aws._bill; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    assert {"boto3", "botocore", "http.client", "ssl", "urllib.request"} & set(loaded) == set()
