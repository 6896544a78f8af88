"""A secret that changed reaches the copies that run with the next `up`, and nothing else does.

No real AWS was reachable when this was written.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Change, Effect
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _differences, _draft, _home, _roles, _versions
from cordillera.targets.aws._cloudformation import Stack
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws._verbs import AwsVerbs, _place
from cordillera.targets.aws.service import CLUSTER, service
from tests.targets.aws import examples
from tests.targets.aws.applied import up
from tests.targets.aws.test_apply import AT

TOKENS = {
    "secrets": ["API_TOKEN", {"name": "SECRET_KEY", "generate": True}],
    "environment": {"AUTHORIZATION": "Bearer ${secrets.API_TOKEN}"},
}


def hello(to: Path, **more: object) -> Wanted:
    return examples.wanted("hello", to, services={"web": {"image": "hello:1", **TOKENS, **more}})


def offline(want: Wanted, before: Draft | None = None) -> Draft:
    made = _draft.draft(want, site_of(want))
    old = before.templates if before else {}
    _draft.offline(made, {unit: dict(one.body) for unit, one in old.items()})
    return made


def test_a_plan_offline_says_nothing_of_secrets(tmp_path: Path) -> None:
    before = offline(hello(tmp_path / "1"))

    assert offline(hello(tmp_path / "2"), before).touched == ()


def test_the_change_of_a_secret_is_told_of_what_uses_it(tmp_path: Path) -> None:
    """Also where another stack has to be changed before, and no change set can be made yet."""
    before = offline(hello(tmp_path / "1"))
    made = offline(hello(tmp_path / "2"), before)
    given = {"ApiTokenVersion": "v1", "SecretKeyVersion": "v1"}
    made.found["release"] = Stack("1", "release", "CREATE_COMPLETE", parameters=given)
    made.versions = {"ApiTokenVersion": "v2", "SecretKeyVersion": "v1"}

    found = {change.name: change for change in made.compare("release")}

    assert set(found) == {"WebTask", "WebVariables"}
    assert found["WebTask"].effect is Effect.REPLACE
    assert found["WebTask"].why.endswith("; secret API_TOKEN changed")


def test_a_copy_that_starts_much_later_needs_no_version_that_may_be_gone(tmp_path: Path) -> None:
    made = examples.templates("newsroom", tmp_path)["release"]
    task = made.body["Resources"]["WebTask"]["Properties"]["ContainerDefinitions"][0]

    read = [one["ValueFrom"] for one in task["Secrets"]]

    assert read and not any(_differences.uses(read, name) for name in made.versions)
    assert all(_differences.uses(task["DockerLabels"], name) for name in made.versions)


def test_what_waits_in_the_standby_region_has_no_part_in_it(tmp_path: Path) -> None:
    made = examples.templates("newsroom", tmp_path)

    assert made["standby-app"].versions == {}
    assert set(made["release"].versions) > {"SecretKeyVersion", "ResourcesDbPasswordVersion"}


def test_two_secrets_that_a_template_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    want = hello(tmp_path, secrets=["API_TOKEN", "API__TOKEN"])

    with pytest.raises(CordilleraError, match="API_TOKEN and API__TOKEN have one name"):
        _draft.draft(want, site_of(want))


def test_a_label_tells_the_version_of_each_secret() -> None:
    assert _versions.labelled({_versions.LABEL: "A=1 resources.db.password=2 NEW="}) == {
        "A": "1",
        "resources.db.password": "2",
        "NEW": "",
    }
    assert _versions.labelled({}) == {}


def first_up(to: Path) -> Wanted:
    want = hello(to)
    _home.save_wanted(want)
    AwsVerbs().set_secret(want.environment, "API_TOKEN", "one")
    up(want)
    return want


def planned(to: Path) -> dict[str, Change]:
    return {change.name: change for change in AwsEngine().plan(hello(to), AT).changes}


def definition(live: Live) -> Any:
    """The task definition that the service's copies start from."""
    ecs = live.client("ecs")
    found = ecs.describe_services(
        cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
    )["services"][0]["taskDefinition"]
    return ecs.describe_task_definition(taskDefinition=found)["taskDefinition"]


def authorization(live: Live) -> str:
    """What the copies that start now get as that variable."""
    place = live.physical(_roles.composed("web"))
    found = live.client("secretsmanager").get_secret_value(SecretId=place)["SecretString"]
    return str(json.loads(found)["AUTHORIZATION"])


@pytest.mark.slow
def test_a_second_up_changes_nothing(account: str, tmp_path: Path) -> None:
    first_up(tmp_path / "1")

    assert planned(tmp_path / "2") == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["API_TOKEN", "SECRET_KEY"])
def test_a_secret_that_was_set_anew_rolls_the_service(
    account: str, tmp_path: Path, name: str
) -> None:
    want = first_up(tmp_path / "1")
    live = Live(site_of(want))
    before = definition(live)

    AwsVerbs().set_secret(want.environment, name, "two")
    plan = planned(tmp_path / "2")
    done = up(hello(tmp_path / "3"), token="up-2")

    assert plan["WebTask"].why.endswith(f"; secret {name} changed")
    assert done.units == ("release", "app")
    assert planned(tmp_path / "4") == {}
    live.forget()
    after = definition(live)
    assert after["taskDefinitionArn"] != before["taskDefinitionArn"]
    place = _versions.stages(_place(want, name), live)
    labels = after["containerDefinitions"][0]["dockerLabels"]
    assert _versions.labelled(labels)[name] == place["AWSCURRENT"]
    assert authorization(live) == ("Bearer two" if name == "API_TOKEN" else "Bearer one")
