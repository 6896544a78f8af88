"""`eject`: what is written is whole, and comes up without us. No real AWS was reachable."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _client, _eject
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws._verbs import AwsVerbs
from cordillera.targets.aws.service import CLUSTER, service
from tests.targets.aws import examples

Read = dict[str, dict[str, Any]]


def newsroom(to: Path) -> Wanted:
    return examples.wanted("newsroom", to / "app", standby_region="us-west-1")


def read(folder: Path) -> Read:
    """Unit -> template, of every stack."""
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def sources(folder: Path, unit: str) -> Read:
    """Parameter -> the stack, region and output that its value comes from."""
    made: Read = json.loads((folder / "parameters" / f"{unit}.json").read_text())
    return made


def deployed(page: str) -> list[tuple[str, str, str]]:
    """(region, stack, unit) of each line of the page, in its order."""
    line = r"deploy --region (\S+) --stack-name (\S+) \\\n\s+--template-file (\S+)\.json"
    return re.findall(line, page)


def test_it_writes_the_very_templates_and_asks_nobody(tmp_path: Path) -> None:
    want = newsroom(tmp_path)

    written = AwsVerbs().eject(want, tmp_path / "out")

    made = examples.templates("newsroom", tmp_path / "again", standby_region="us-west-1")
    assert read(tmp_path / "out") == {unit: dict(one.body) for unit, one in made.items()}
    assert written[0].name == "README.md"
    assert all(path.exists() for path in written)


def test_every_parameter_comes_from_an_output_of_a_stack_before(tmp_path: Path) -> None:
    _eject.write(newsroom(tmp_path), tmp_path)
    bodies = read(tmp_path)

    outputs = dict[tuple[str, str], set[str]]()
    for region, stack, unit in deployed((tmp_path / "README.md").read_text()):
        known = sources(tmp_path, unit)
        needed = {n for n, p in bodies[unit].get("Parameters", {}).items() if "Default" not in p}
        assert needed == known.keys(), unit
        assert all(s["output"] in outputs[s["region"], s["stack"]] for s in known.values()), unit
        outputs[region, stack] = set(bodies[unit].get("Outputs", ()))
    assert len(outputs) == len(bodies)


def test_the_page_says_what_no_template_does(tmp_path: Path) -> None:
    want = newsroom(tmp_path)

    _eject.write(want, tmp_path)

    page = (tmp_path / "README.md").read_text()
    for told in (
        "create-service-linked-role --aws-service-name opensearchservice.amazonaws.com",
        "create-service-linked-role --aws-service-name ecs.application-autoscaling.amazonaws.com",
        "the schema `db`",
        "`ResourcesDbPasswordVersion`",
        "a key of the user",
        "describe-certificate` shows for news.acme.example",
        f"- `cordillera/acme/production/web:{want.releases['web']}`",
    ):
        assert told in page, told


def test_secrets_that_somebody_chose_are_named_and_not_written(tmp_path: Path) -> None:
    web = {"image": "hello:1", "secrets": ["API_TOKEN"]}

    _eject.write(examples.wanted("hello", tmp_path / "app", services={"web": web}), tmp_path)

    page = (tmp_path / "README.md").read_text()
    assert "create-secret --region us-east-1 --name cordillera/acme/production/API_TOKEN" in page


@pytest.mark.slow
def test_what_was_ejected_comes_up_without_us(account: str, tmp_path: Path) -> None:
    want = examples.wanted("hello", tmp_path / "app", services={"web": {"image": "hello:1"}})
    _eject.write(want, tmp_path)

    for region, stack, unit in deployed((tmp_path / "README.md").read_text()):
        formation = _client.client(want.account, "cloudformation", region)
        values = {
            name: _output(_client.client(want.account, "cloudformation", one["region"]), one)
            for name, one in sources(tmp_path, unit).items()
        }
        formation.create_stack(
            StackName=stack,
            TemplateBody=(tmp_path / f"{unit}.json").read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        found = formation.describe_stacks(StackName=stack)["Stacks"][0]
        assert found["StackStatus"] == "CREATE_COMPLETE", found

    live = Live(site_of(want))
    services = live.client("ecs").describe_services(
        cluster=live.physical(CLUSTER), services=[live.physical(service("web"))]
    )["services"]
    assert [one["desiredCount"] for one in services] == [2]


def _output(formation: Any, source: dict[str, str]) -> str:
    found = formation.describe_stacks(StackName=source["stack"])["Stacks"][0]["Outputs"]
    return str(next(o["OutputValue"] for o in found if o["OutputKey"] == source["output"]))
