"""The role in a customer's account: a template that AWS takes, and that lets in whom it names, as far as the
policy goes.

The emulator is one that enforces policies: on our own calls, not on what CloudFormation calls in our name. It
takes `iam:CreateServiceLinkedRole` and `ssm:DeleteParameters` for calls on everything, which the policy does
not allow: those roles are there already, and notes about releases are left.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cordillera.components.account import AccountSpec
from cordillera.components.protocol import Place
from cordillera.core.errors import CordilleraError, ManifestError
from cordillera.targets.aws import _client, _customer_role, _once, _permissions, _stack
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._site import UNITS, site_of
from tests.targets.aws import emulator, examples
from tests.targets.aws.applied import up
from tests.targets.aws.test_templates import findings

OURS, THEIRS, EXTERNAL_ID = "999999999999", "222222222222", "acme-7f3a"
RESOURCES = {
    "cache": {"type": "cache"},
    "search": {"type": "search"},
    "uploads": {"type": "objects"},
    "jobs": {"type": "queue"},
    "mail": {"type": "mail", "from": "news@acme.example", "providers": ["ses"]},
}
"""All but a database: the emulator makes no master's secret for one, and what stands in is not ours."""

ROLE = f"arn:aws:iam::{THEIRS}:role/cordillera"


def template(trust: str = OURS, external_id: str | None = EXTERNAL_ID) -> Any:
    return _customer_role.customer_role(trust, external_id, "cordillera").template


def test_it_lets_in_whom_it_names_with_the_external_id_only() -> None:
    role = template()["Resources"]["Role"]["Properties"]

    assert role["RoleName"] == "cordillera"
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ]
    assert template()["Outputs"]["RoleArn"] == {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}


def test_the_whole_policy_is_attached_within_the_limits_of_iam() -> None:
    resources = template()["Resources"]

    attached = [one["Ref"] for one in resources["Role"]["Properties"]["ManagedPolicyArns"]]
    documents = [resources[id]["Properties"]["PolicyDocument"] for id in attached]
    assert documents == _permissions.pieces()
    assert len(attached) <= 10
    assert all(len("".join(json.dumps(one).split())) <= 6144 for one in documents)


def test_it_changes_neither_its_own_stack_nor_itself_directly() -> None:
    reached = [
        resource
        for piece in _permissions.pieces()
        for one in piece["Statement"]
        for resource in one["Resource"]
        if resource.startswith(("arn:aws:iam", "arn:aws:cloudformation"))
    ]

    assert reached
    assert not [one for one in reached if one.endswith((":role/*", "role/cordillera*", "stack/*"))]
    assert not [one for one in reached if "stack/cordillera/" in one]


def test_the_linter_finds_nothing() -> None:
    assert findings(json.dumps(template())) == []


def test_an_external_id_is_made_for_each_customer_when_none_is_given() -> None:
    one, two = (_customer_role.customer_role(OURS, None, "cordillera") for _ in range(2))

    assert one.external_id != two.external_id
    assert one.external_id in json.dumps(one.template)
    assert one.external_id in one.manifest
    AccountSpec(role=ROLE, external_id=one.external_id)


@pytest.mark.parametrize(
    "trust", [f"arn:aws:iam::{OURS}:role/ops/deploy", f"arn:aws:iam::{OURS}:user/ada"]
)
def test_a_single_role_or_user_may_be_trusted(trust: str) -> None:
    document = template(trust)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]

    assert document["Statement"][0]["Principal"] == {"AWS": trust}


@pytest.mark.parametrize(
    ("trust", "external_id", "name", "why"),
    [
        ("*", EXTERNAL_ID, "cordillera", "nobody whom a role can trust"),
        (f"arn:aws:sts::{OURS}:assumed-role/ops/ada", EXTERNAL_ID, "cordillera", "nobody whom"),
        ("٩" * 12, EXTERNAL_ID, "cordillera", "nobody whom"),
        (f"arn:aws:iam::{OURS}:user/ädä", EXTERNAL_ID, "cordillera", "nobody whom"),
        (OURS, "", "cordillera", "no external id"),
        (OURS, "acme seven", "cordillera", "no external id"),
        (OURS, "a" * 1225, "cordillera", "no external id"),
        (OURS, "acme", "cordillera", "can be guessed"),
        (OURS, THEIRS, "cordillera", "can be guessed"),
        (OURS, OURS, "cordillera", "can be guessed"),
        (OURS, EXTERNAL_ID, "a role", "no name of a role"),
        (OURS, EXTERNAL_ID, "cordillera-ops", "could change itself"),
    ],
)
def test_words_that_are_of_no_use_are_refused(
    trust: str, external_id: str, name: str, why: str
) -> None:
    with pytest.raises(ManifestError, match=why) as found:
        _customer_role.customer_role(trust, external_id, name)

    assert found.value.hint


def account(external_id: str | None = EXTERNAL_ID) -> AccountSpec:
    """The customer's, as the manifest names it."""
    return AccountSpec(id=THEIRS, role=ROLE, external_id=external_id)


def call(service: str, verb: str, **arguments: Any) -> Any:
    """A call in the customer's account, with the role."""
    return getattr(_client.client(account(), service, "us-east-1"), verb)(**arguments)


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The customer has applied the template; the credentials of a user of ours who may take roles on."""
    emulator.refuse_without()
    with emulator.ministack(tmp_path_factory.mktemp("strict"), AUTH="true") as endpoint:

        def owner(number: str, service: str) -> Any:
            return boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=endpoint,
                aws_access_key_id=number,
                aws_secret_access_key="none",
            )

        for service in ("ecs", "elasticloadbalancing", "elasticache", "opensearchservice"):
            owner(THEIRS, "iam").create_service_linked_role(
                AWSServiceName=f"{service}.amazonaws.com"
            )
        _apply_template(owner(THEIRS, "cloudformation"))
        key, secret = _ada(owner(OURS, "iam"))
        yield {**emulator.credentials(endpoint, key), "AWS_SECRET_ACCESS_KEY": secret}


@pytest.fixture
def customer(
    lent: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """We are that user."""
    for name, value in {**lent, "CORDILLERA_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_stack, "templates", emulator.stripping(_stack.templates))
    monkeypatch.setattr(_once, "forget", lambda *_: None)
    with emulator.clients_made_anew():
        monkeypatch.setattr(_client, "_made", _as_if_by_tls(_client._made))
        yield


def _as_if_by_tls(made: Any) -> Any:
    """Our buckets refuse whoever speaks to them in clear, and the emulator believes this header."""

    def client(*key: Any) -> Any:
        found = made(*key)
        found.meta.events.register("before-sign.*", _say_https, unique_id="https")
        return found

    return client


def _say_https(request: Any, **_: Any) -> None:
    del request.headers["X-Forwarded-Proto"]
    request.headers["X-Forwarded-Proto"] = "https"


def _apply_template(formation: Any) -> None:
    formation.create_stack(
        StackName="cordillera",
        TemplateBody=json.dumps(template()),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    found = formation.describe_stacks(StackName="cordillera")["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE", found
    assert found["Outputs"][0]["OutputValue"] == ROLE


def _ada(iam: Any) -> tuple[str, str]:
    """The key of a user who may do nothing but take roles on."""
    iam.create_user(UserName="ada")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="ada", PolicyName="roles", PolicyDocument=document)
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    return str(key["AccessKeyId"]), str(key["SecretAccessKey"])


@pytest.mark.slow
@pytest.mark.usefixtures("customer")
def test_an_environment_comes_up_and_goes_with_nothing_but_the_role(tmp_path: Path) -> None:
    want = examples.wanted(
        "hello",
        tmp_path / "app",
        standby_region="us-west-1",
        services={"web": {"image": "hello:1", "resources": list(RESOURCES)}},
        resources=RESOURCES,
        account=account().model_dump(exclude_none=True),
    )
    at = Place(examples.ENVIRONMENT, want.region)

    up(want)

    assert AwsEngine().plan(want, at).changes == ()
    assert AwsEngine().observe(at).services["web"].desired == 2
    AwsEngine().destroy(at)
    left = [unit for unit in UNITS if Stacks(site_of(want)).describe(unit)]
    assert [unit for unit in left if not unit.startswith("account")] == []


@pytest.mark.slow
@pytest.mark.usefixtures("customer")
def test_who_does_not_say_the_external_id_is_kept_out() -> None:
    assert call("sts", "get_caller_identity")["Account"] == THEIRS
    for other in (None, "acme-0000"):
        with pytest.raises(CordilleraError, match="not authorized to perform: sts:AssumeRole"):
            _client.client(account(other), "sts", "us-east-1").get_caller_identity()


@pytest.mark.slow
@pytest.mark.usefixtures("customer")
@pytest.mark.parametrize(
    ("service", "verb", "arguments"),
    [
        ("iam", "delete_role", {"RoleName": "cordillera"}),
        ("iam", "create_user", {"UserName": "bob"}),
        ("cloudformation", "delete_stack", {"StackName": "cordillera"}),
        ("s3", "create_bucket", {"Bucket": "theirs"}),
        ("dynamodb", "list_tables", {}),
    ],
)
def test_what_is_not_ours_is_out_of_reach(
    service: str, verb: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(AwsError, match="may not do this"):
        call(service, verb, **arguments)
