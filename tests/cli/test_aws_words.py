"""The words of the target `aws`, as people run them: none of these needs an account."""

import json
from pathlib import Path

import pytest
from tests.cli import run
from tests.targets.aws import examples


@pytest.fixture
def newsroom(tmp_path: Path) -> Path:
    return examples.app_folder("newsroom", tmp_path)


def said(folder: Path, *words: str) -> str:
    with run.shell(folder) as shell:
        done = shell.here(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_plan_without_an_account_tells_resources_limits_and_cost(newsroom: Path) -> None:
    text = said(newsroom, "plan", "acme/production", "--offline")

    assert text.index("network") < text.index("NatGatewayA") < text.index("What it takes")
    assert "What a month costs, at rest list prices of 20" in text
    assert "not priced" in text or "not offered yet" not in text
    assert "network: {outbound: none}" in text
    assert "% below the plain reference architecture" in text


def test_a_plan_for_programs_has_the_same(newsroom: Path) -> None:
    found = json.loads(said(newsroom, "plan", "acme/production", "--offline", "--json"))

    assert {"resources", "needs", "bill", "changes"} <= found.keys()
    total = sum(item["usd"] or 0 for item in found["bill"]["items"])
    assert found["bill"]["usd_a_month"] == pytest.approx(total, abs=0.01)
    assert found["bill"]["compared"]["below"] >= 0.25


def test_the_policy_is_printed_and_written_in_pieces(tmp_path: Path) -> None:
    whole = json.loads(said(tmp_path, "aws", "policy"))
    said(tmp_path, "aws", "policy", "--to", "policies")

    pieces = sorted((tmp_path / "policies").glob("cordillera-*.json"))
    assert whole["Version"] == "2012-10-17"
    assert sum(len(json.loads(p.read_text())["Statement"]) for p in pieces) == len(
        whole["Statement"]
    )
    assert all(len(piece.read_text().strip()) <= 6144 for piece in pieces)


def test_a_role_for_a_customer_is_a_template_on_stdout_and_all_else_beside_it(
    tmp_path: Path,
) -> None:
    with run.shell(tmp_path) as shell:
        done = shell.here("aws", "role", "--trust", "999999999999")
        again = shell.here("aws", "role", "--trust", "999999999999", "--external-id", "acme-7f3a")

    role = json.loads(done.stdout)["Resources"]["Role"]["Properties"]
    trust = role["AssumeRolePolicyDocument"]["Statement"][0]
    external_id = trust["Condition"]["StringEquals"]["sts:ExternalId"]
    assert f"The external id is {external_id}, made just now" in done.stderr
    assert f'external_id: "{external_id}"' in done.stderr
    assert "aws cloudformation deploy --stack-name cordillera --template-file" in done.stderr
    assert "--capabilities CAPABILITY_NAMED_IAM" in done.stderr
    assert len(done.stdout.encode()) < 51_200, "the AWS CLI takes no longer one from a file"
    assert '"sts:ExternalId": "acme-7f3a"' in again.stdout
    assert "made just now" not in again.stderr


def test_nobody_is_trusted_by_mistake(tmp_path: Path) -> None:
    with run.shell(tmp_path) as shell:
        done = shell.here("aws", "role", "--trust", "*")

    assert (done.returncode, done.stdout) == (2, "")
    assert "`*` is nobody whom a role can trust" in done.stderr


def test_an_environment_in_aws_is_not_for_rehearsals(tmp_path: Path) -> None:
    with run.shell(examples.app_folder("hello", tmp_path, rehearsal=True)) as shell:
        done = shell.here("plan", "acme/production", "--offline")

    assert done.returncode == 2
    assert "losing a zone is rehearsed on `local` only" in done.stderr
