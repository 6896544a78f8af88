"""The engine against an emulator: through change sets, again, changed, failed and gone.

No real AWS was reachable when this was written.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Effect, Place
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, Refused
from cordillera.targets.aws import _client, _home
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws.service import CLUSTER, service
from tests.targets.aws import emulator, examples
from tests.targets.aws.applied import up

pytestmark = pytest.mark.slow
AT = Place(examples.ENVIRONMENT, "us-east-1")
WITHIN = timedelta(seconds=60)


def hello(to: Path, image: str = "hello:1", **more: object) -> Wanted:
    return examples.wanted("hello", to, services={"web": {"image": image}}, **more)


def test_hello_comes_up_and_a_second_up_has_nothing_to_do(account: str, tmp_path: Path) -> None:
    want = hello(tmp_path)

    first = up(want)
    second = AwsEngine().plan(want, AT)

    assert {c.effect for c in first.changes} == {Effect.CREATE}
    assert second.changes == ()
    live = Live(site_of(want))
    found = live.client("ecs").describe_services(
        cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
    )["services"][0]
    assert found["desiredCount"] == 2
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True


def test_a_new_image_is_a_new_task_definition_and_nothing_else(
    account: str, tmp_path: Path
) -> None:
    up(hello(tmp_path / "1"))

    plan = up(hello(tmp_path / "2", image="hello:2"), token="up-2")

    assert plan.units == ("release", "app")
    want = hello(tmp_path / "3", image="hello:2")
    assert AwsEngine().plan(want, AT).changes == ()
    live = Live(site_of(want))
    found = live.client("ecs").describe_services(
        cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
    )["services"][0]
    definition = live.client("ecs").describe_task_definition(
        taskDefinition=found["taskDefinition"]
    )["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"] == "hello:2"


def test_up_executes_the_very_change_set_that_plan_made(account: str, tmp_path: Path) -> None:
    up(hello(tmp_path / "1"))
    want = hello(tmp_path / "2", image="hello:2")
    AwsEngine().plan(want, AT)
    release = Stacks(site_of(want))
    made = _change_sets(want, "release")

    up(want, token="up-2")

    assert len(made) == 1
    found = release.change_set("release", made[0])
    assert found is None or found.status == "CREATE_COMPLETE"
    assert _change_sets(want, "release") in ([], made)


def test_a_plan_is_refused_when_the_account_moved(account: str, tmp_path: Path) -> None:
    engine = AwsEngine()
    plan = engine.plan(hello(tmp_path / "1"), AT)
    up(hello(tmp_path / "2"))

    with pytest.raises(Refused, match="changed since this plan was made"):
        engine.open(plan)


def test_the_other_account_is_refused(account: str, tmp_path: Path) -> None:
    want = hello(tmp_path, account={"id": "999999999999"})

    with pytest.raises(Refused, match="lives in the account 999999999999"):
        AwsEngine().plan(want, AT)


def test_destroy_leaves_no_stack_and_no_memory(account: str, tmp_path: Path) -> None:
    want = hello(tmp_path)
    up(want)

    AwsEngine().destroy(AT)

    stacks = Stacks(site_of(want))
    assert [unit for unit in ("network", "front", "release", "app") if stacks.describe(unit)] == []
    assert _home.environments() == []
    buckets = _client.client(want.account, "s3", "us-east-1").list_buckets()["Buckets"]
    shared = ("cordillera-templates", "cordillera-account")
    assert all(one["Name"].startswith(shared) for one in buckets)


def test_the_first_failure_is_told_with_its_cause(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "stripped", _with_gateways)

    with pytest.raises(CordilleraError, match=r"network: .*\(EC2::|network: .*AWS::EC2") as told:
        up(hello(tmp_path))

    assert "goes on where it stopped" in told.value.hint


def test_what_failed_half_way_is_finished_by_the_next_up(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(emulator, "stripped", _with_gateways)
        with pytest.raises(CordilleraError):
            up(hello(tmp_path / "1"))

    up(hello(tmp_path / "2"), token="up-2")

    assert AwsEngine().plan(hello(tmp_path / "3"), AT).changes == ()


STRIPPED = emulator.stripped


def _with_gateways(body: dict[str, Any]) -> dict[str, Any]:
    """What the emulator cannot make is in the network after all: that stack will fail."""
    return STRIPPED(body, emulator.LACKS - {"AWS::EC2::EIP", "AWS::EC2::NatGateway"})


def _change_sets(want: Wanted, unit: str) -> list[str]:
    site = site_of(want)
    client = _client.client(site.account, "cloudformation", site.region)
    pages = client.pages("list_change_sets", "Summaries", StackName=site.stack_name(unit))
    return [str(one["ChangeSetName"]) for one in pages]
