"""The half that waits: the same environment at rest in another region, its parts in two stacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from cordillera.targets.aws import _stack, _standby, components
from cordillera.targets.aws._site import Site, site_of
from cordillera.targets.aws._stack import Template
from tests.targets.aws import examples


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The newsroom's templates: to be read only."""
    to = tmp_path_factory.mktemp("newsroom")
    return examples.templates("newsroom", to, region="eu-central-1", standby_region="eu-west-1")


@pytest.fixture
def resources(made: dict[str, Template]) -> dict[str, Any]:
    """What waits."""
    early, late = made["standby"].body["Resources"], made["standby-app"].body["Resources"]
    return {**early, **late}


def test_it_costs_no_hour_of_a_copy_nor_a_gateway(
    made: dict[str, Template], resources: dict[str, Any]
) -> None:
    services = [one for one in resources.values() if one["Type"] == "AWS::ECS::Service"]
    assert [one["Properties"]["DesiredCount"] for one in services] == [0, 0]
    kinds = {one["Type"] for one in resources.values()}
    assert not kinds & {"AWS::EC2::NatGateway", "AWS::ApplicationAutoScaling::ScalableTarget"}
    assert "NatGateway" not in json.dumps(resources)
    assert made["standby"].region == "eu-west-1"


def test_it_has_what_a_failover_must_not_wait_for(resources: dict[str, Any]) -> None:
    ids = {"Key", "Vpc", "Certificate", "Firewall", "LoadBalancer", "StandbyVault", "WebTask"}
    assert ids <= set(resources)


def test_its_network_may_be_joined_with_the_other(
    made: dict[str, Template], resources: dict[str, Any]
) -> None:
    here = made["network"].body["Resources"]["Vpc"]["Properties"]["CidrBlock"]
    there = resources["Vpc"]["Properties"]["CidrBlock"]
    assert here != there
    subnets = [r for r in resources.values() if r["Type"] == "AWS::EC2::Subnet"]
    lead = there.rsplit(".", 2)[0]
    assert all(one["Properties"]["CidrBlock"].startswith(lead) for one in subnets)


def test_a_task_there_asks_nothing_of_the_lost_region(resources: dict[str, Any]) -> None:
    task = resources["WebTask"]["Properties"]["ContainerDefinitions"][0]
    log = task["LogConfiguration"]["Options"]
    variables = {v["Name"]: v["Value"] for v in task["Environment"]}
    assert (log["awslogs-region"], variables["AWS_REGION"]) == ("eu-west-1", "eu-west-1")
    assert "${AWS::Region}" in str(task["Image"])
    assert all("${AWS::Region}" in str(secret["ValueFrom"]) for secret in task["Secrets"])


def test_an_app_there_uses_the_copied_objects(resources: dict[str, Any]) -> None:
    task = resources["WebTask"]["Properties"]["ContainerDefinitions"][0]
    variables = {v["Name"]: v["Value"] for v in task["Environment"]}
    assert variables["UPLOADS_BUCKET"] == {"Ref": "StandbyUploadsStandbyBucket"}
    assert "DataUploadsBucket" not in json.dumps(resources)


def test_every_secret_has_a_copy_there(made: dict[str, Template]) -> None:
    secrets = [
        one["Properties"]["ReplicaRegions"]
        for template in made.values()
        for one in template.body["Resources"].values()
        if one["Type"] == "AWS::SecretsManager::Secret"
    ]
    assert secrets
    assert all({"Region": "eu-west-1"} in regions for regions in secrets)


def test_it_refers_to_nothing_that_its_own_stack_could_have(made: dict[str, Template]) -> None:
    known = {"standby", "data", "front", "release", "edge"}
    assert {ref.unit for ref in made["standby-app"].parameters.values()} <= known


def test_data_may_be_copied_to_it_before_there_is_any(made: dict[str, Template]) -> None:
    assert made["standby"].needs == frozenset()
    assert {"Key", "StandbyVault", "Vpc"} <= set(made["standby"].body["Resources"])


def test_an_environment_without_a_second_region_has_none_of_it(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path)

    assert not {"standby", "standby-app", "account-standby"} & set(made)
    assert "ReplicaRegions" not in made["front"].body["Resources"]["EdgeWord"]["Properties"]


def test_the_halves_have_the_same_names() -> None:
    site = Site("app", "acme/production", "eu-central-1", "eu-west-1")

    assert site.standby is not None
    assert site.standby.name("web") == site.name("web")
    assert site.standby.standby is None


def test_a_large_app_still_fits_into_the_stack_that_waits(tmp_path: Path) -> None:
    one = {
        "image": "app:1",
        "resources": ["db"],
        "scale": {"min": 2, "max": 4, "target": {"cpu": "60%"}},
    }
    made = examples.templates(
        "hello",
        tmp_path,
        zones=3,
        region="eu-central-1",
        standby_region="eu-west-1",
        services={f"service-{number}": one for number in range(30)},
        resources={"db": {"type": "database"}},
    )

    waits = made["standby-app"]
    assert 150 < len(waits.body["Resources"]) < _stack.RESOURCES_MAX * 0.8
    assert len(waits.text) < _stack.BYTES_MAX / 2
    assert len(waits.body["Parameters"]) < _stack.PARAMETERS_MAX / 2
    assert all(len(one.body.get("Outputs", ())) < _stack.OUTPUTS_MAX for one in made.values())


def test_nothing_that_waits_is_left_out_with_what_does_not(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path, watch={"budget": 100})
    there = site_of(want).standby
    assert there is not None

    left = [each for each in components.everything() if not each.in_standby]
    made = [part for each in left for part in each.parts(want, there)]

    assert made
    assert {part.unit for part in made} & _standby.UNITS.keys() == set()
