"""The second emulator: our stacks, applied as `up` applies them, in two regions and two accounts.

No real AWS was reachable when this was written.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from cordillera.components.protocol import Effect, Place, Plan
from cordillera.components.wanted import Wanted
from cordillera.core.clock import SystemClock
from cordillera.core.errors import CordilleraError
from cordillera.operations import provision
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import ACCOUNT, DATA, FRONT, NETWORK, STANDBY, site_of
from cordillera.targets.aws.objects import bucket
from cordillera.targets.aws.queue import queue
from tests.targets.aws import emulator, examples, moto_help

pytestmark = pytest.mark.slow
AT = Place(examples.ENVIRONMENT, "us-east-1")
OURS, THEIRS = "111111111111", "333333333333"
LEARNT = "moto has learnt it: help it no longer"
JOBS = {"type": "queue", "dead_letter": {"after": 8}}
RESOURCES = {"uploads": {"type": "objects"}, "jobs": JOBS}
REACHED = (ACCOUNT, NETWORK, STANDBY, DATA, FRONT)
"""The others refer to what moto does not make or tell, such as a secret. Shown to fail each time."""


@pytest.fixture
def helped(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in emulator.credentials(moto).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    moto_help.assist(monkeypatch, moto)
    with emulator.clients_made_anew():
        yield moto


def hello(to: Path, number: str, **more: object) -> Wanted:
    overlay: dict[str, Any] = {
        "standby_region": "us-west-1",
        "resources": RESOURCES,
        "services": {"web": {"image": "hello:1", "resources": ["uploads", "jobs"]}},
        **moto_help.customer(number),
    }
    return examples.wanted("hello", to, **{**overlay, **more})


def up(want: Wanted, token: str) -> Plan:
    """As far as moto goes."""
    engine = AwsEngine()
    plan = engine.plan(want, AT)
    waves = tuple((unit,) for unit in plan.units if unit in REACHED)
    reached = replace(plan, waves=waves)
    provision.apply(engine, reached, lambda _: None, clock=SystemClock(), token=token)
    for unit in set(plan.units) - set(REACHED):
        last = replace(plan, waves=((unit,),))
        with pytest.raises(CordilleraError, match=r"does not tell all that is needed"):
            provision._carry_out(engine, last, (unit,), lambda _: None, SystemClock(), token)
    return plan


def test_the_stacks_come_up_through_change_sets_in_two_regions_and_two_accounts(
    helped: str, tmp_path: Path
) -> None:
    for number in (OURS, THEIRS):
        want = hello(tmp_path / number, number)

        plan = up(want, "up-1")

        assert {c.effect for c in plan.changes} == {Effect.CREATE}
        live = Live(site_of(want))
        for unit in REACHED:
            stack = Stacks(live.site).describe(unit)
            assert stack is not None and f":{number}:" in stack.id
            assert live.site.region_of(unit) in stack.id
            owner = {"cordillera": "account"} if unit == ACCOUNT else live.site.tags
            assert stack.tags == owner
        there = {one["Name"] for one in live.client("s3").list_buckets()["Buckets"]}
        assert live.physical(bucket("uploads")) in there
        url, found = jobs(live)
        assert number in url
        assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] == 8


def test_what_changed_is_updated_by_a_change_set_and_the_rest_left_alone(
    helped: str, tmp_path: Path
) -> None:
    number = "444444444444"
    up(hello(tmp_path / "1", number), "up-1")
    before = jobs(Live(site_of(hello(tmp_path / "2", number))))
    want = hello(
        tmp_path / "3",
        number,
        resources={**RESOURCES, "jobs": {**JOBS, "visibility_timeout": "99s"}},
    )

    plan = up(want, "up-2")

    touched = {c.name for c in plan.changes if c.effect is not Effect.CREATE}
    assert set(plan.units) & set(REACHED) == {DATA}
    assert "JobsQueue" in touched
    url, after = jobs(Live(site_of(want)))
    assert url == before[0]
    assert (before[1]["VisibilityTimeout"], after["VisibilityTimeout"]) == ("30", "99")
    again = AwsEngine().plan(want, AT)
    assert set(again.units) & set(REACHED) == set()


def jobs(live: Live) -> tuple[str, Any]:
    """The queue's address, and what it is like."""
    url = live.physical(queue("jobs"))
    found = live.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return url, found["Attributes"]


def test_moto_forgets_outputs_of_what_a_change_set_made_and_lists_everybodys_change_sets(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    formation = plain(moto, monkeypatch)
    body = {
        "Resources": {"One": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"Url": {"Value": {"Ref": "One"}}},
    }
    formation.create_change_set(
        StackName="one", ChangeSetName="made", ChangeSetType="CREATE", TemplateBody=json.dumps(body)
    )
    formation.execute_change_set(StackName="one", ChangeSetName="made")

    assert "Outputs" not in formation.describe_stacks(StackName="one")["Stacks"][0], LEARNT
    others = formation.list_change_sets(StackName="another")["Summaries"]
    assert [each["StackName"] for each in others] == ["one"], LEARNT


@pytest.mark.parametrize("attribute", moto_help.UNTOLD)
def test_moto_does_not_tell_these_attributes(
    attribute: str, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    formation = plain(moto, monkeypatch)
    net = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    subnet = {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.0.0.0/24"}
    group = {"Port": 80, "Protocol": "HTTP", "VpcId": {"Ref": "Net"}}
    known = {"LoadBalancer": {"Subnets": [{"Ref": "Subnet"}]}, "TargetGroup": group}
    kind = attribute.removesuffix("FullName")
    one = {"Type": f"AWS::ElasticLoadBalancingV2::{kind}", "Properties": known[kind]}
    body = {
        "Resources": {
            "Net": net,
            "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": subnet},
            "One": one,
        },
        "Outputs": {
            "Name": {"Value": {"Fn::GetAtt": ["One", attribute]}},
            "Known": {"Value": {"Ref": "One"}},
        },
    }
    formation.create_stack(StackName=attribute, TemplateBody=json.dumps(body))

    found = formation.describe_stacks(StackName=attribute)["Stacks"][0].get("Outputs", ())
    told = {each["OutputKey"]: each["OutputValue"] for each in found}
    assert "Fn::GetAtt" in told.get("Name", "Fn::GetAtt"), LEARNT


@pytest.mark.parametrize(("service", "call"), moto_help.UNKNOWN)
def test_moto_does_not_know_these_calls(service: str, call: str) -> None:
    emulator.refuse_without()
    ask = (
        f"from importlib import import_module as i\n"
        f"m = i('moto.{service}.responses')\n"
        f"print(any(hasattr(v, '{call}') for v in vars(m).values()))"
    )
    argv = [str(emulator.BINARIES / "python"), "-c", ask]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout

    assert found.strip() == "False", LEARNT


def plain(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """CloudFormation of an account of nobody's, without help."""
    for name, value in emulator.credentials(moto).items():
        monkeypatch.setenv(name, value)
    return boto3.client("cloudformation", region_name="us-west-2")
