"""What the tests of the target `aws` share: an emulator for the session, and a command line to it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cordillera.targets.aws import (
    _client,
    _database_live,
    _database_user,
    _linked_roles,
    _permissions,
    _stack,
)
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from tests.targets.aws import emulator, permissions

OF_TESTS = {
    ("cloudformation", "create_stack"),
    ("cloudfront", "get_distribution_config"),
    ("efs", "describe_file_systems"),
    ("efs", "describe_mount_targets"),
    ("iam", "delete_service_linked_role"),
    ("iam", "list_users"),
    ("opensearch", "list_domain_names"),
    ("route53", "create_hosted_zone"),
    ("s3", "get_public_access_block"),
    ("s3", "list_buckets"),
    ("s3", "list_object_versions"),
    ("sqs", "change_message_visibility"),
    ("sqs", "list_queues"),
    ("sqs", "receive_message"),
    ("sqs", "send_message"),
}
"""Calls that only tests make, to see what is left."""


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulated AWS. Skipped where emulators are not installed."""
    emulator.refuse_without()
    with emulator.ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the other emulator, anew for each file. Skipped where emulators are not installed."""
    emulator.refuse_without()
    with emulator.moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture
def number(tmp_path: Path) -> str:
    """The number of an account that no other test has."""
    return f"{abs(hash(str(tmp_path))) % 10**12:012d}"


@pytest.fixture
def account(
    endpoint: str, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Credentials of an account of its own for the test, templates stripped of what the emulator lacks."""
    for name, value in emulator.credentials(endpoint, number).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_stack, "templates", emulator.stripping(_stack.templates))
    monkeypatch.setattr(_linked_roles, "SETTLES_S", 0.0)
    with emulator.clients_made_anew():
        asked = _recorded(monkeypatch)
        yield number
    allowed = set(_permissions.table()["calls"])
    ours = asked - OF_TESTS
    needed = {action for one in ours for action in permissions.actions(*one)}
    assert needed <= allowed, "calls that the policy does not allow: make the table anew"


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ministack makes no master's secret for a cluster out of a template, and its SQL knows no ALTER USER."""
    honest, statements = _database_live.described, _database_user.statements

    def found(resource: str, live: Live) -> dict[str, Any]:
        made = honest(resource, live)
        assert "MasterUserSecret" not in made, "ministack has learnt it: drop this"
        manager, name = live.client("secretsmanager"), f"master-of-{made['DBClusterIdentifier']}"
        value = json.dumps({"username": "admin", "password": "password"})
        with contextlib.suppress(AwsError):
            manager.create_secret(Name=name, SecretString=value)
        made["MasterUserSecret"] = {"SecretArn": manager.describe_secret(SecretId=name)["ARN"]}
        return made

    def understood(schema: str, password: str) -> list[str]:
        return [one for one in statements(schema, password) if not one.startswith("ALTER USER")]

    monkeypatch.setattr(_database_live, "described", found)
    monkeypatch.setattr(_database_user, "statements", understood)


def _recorded(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Every (service, verb) that the test's calls ask for, from now on."""
    asked, made = set[tuple[str, str]](), _client._made

    def recording(key: tuple[str, str, str], service: str, region: str) -> Any:
        client = made(key, service, region)
        verbs = {name: verb for verb, name in permissions.operations(service).items()}

        def note(model: Any, **_: Any) -> None:
            asked.add((service, verbs[model.name]))

        client.meta.events.register("before-call.*", note, unique_id="asked")
        return client

    recording.cache_clear = made.cache_clear  # type: ignore[attr-defined]
    monkeypatch.setattr(_client, "_made", recording)
    return asked
