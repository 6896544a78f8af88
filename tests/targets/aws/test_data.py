"""The data resources' templates and what is worked out for them, nobody being asked."""

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.cache import CacheSpec
from cordillera.components.database import DatabaseSpec
from cordillera.components.search import SearchSpec
from cordillera.core.errors import ManifestError, Refused
from cordillera.manifest.references import RESOURCE_FIELDS
from cordillera.targets.aws import (
    _database_user,
    _mail_live,
    _mail_records,
    _resources,
    _windows,
    cache,
    database,
    objects,
    search,
)
from cordillera.targets.aws._refs import Mixed, Secret
from cordillera.targets.aws._site import site_of
from tests.targets.aws import examples, rules
from tests.targets.aws.test_templates import findings

ROOT = Path(__file__).parents[3]
CHECKOV = ROOT / ".checkov/bin/checkov"
SUPPRESSED: dict[tuple[str, str], str] = {
    ("CKV_AWS_2", r"^HttpListener$"): "without a domain there is no certificate, and the limits say so",
    ("CKV_AWS_103", r"^HttpListener$"): "the same",
    ("CKV_AWS_18", r"(AccessLogs|ObjectsLogs|EdgeLogs|TrailBucket)$"): "logs of logs would never end",
    ("CKV_AWS_18", r"StandbyBucket$"): "only S3 itself writes to the copy until it takes over",
    ("CKV_AWS_35", r"^Trail$"): "the trail is the account's, and an environment's key goes with it",
    ("CKV_AWS_86", r"^Distribution$"): "logged by a delivery of CloudWatch Logs, which checkov does not know",
    ("CKV_AWS_174", r"^Distribution$"): "without a domain CloudFront's own certificate decides",
    ("CKV_AWS_118", r"Server[ABC]$"): "CloudWatch has the serverless metrics; the agent's cost more",
    ("CKV_AWS_162", r"Cluster$"): "apps log in with a password by contract; a second way in is not needed",
    ("CKV_AWS_260", r"BalancerGroup$"): "visitors: port 80 only redirects where there is a domain",
}  # fmt: skip
"""(rule of checkov, resources) -> why it does not hold here. One that no longer applies fails a test."""

OPTIONS = {
    "one zone's gateway, two zones' region": {"region": "us-west-1", "standby_region": None},
    "three zones": {"zones": 3},
    "proxy, TLS, insights": {
        "resources": {
            "db": {"proxy": True, "require_tls": True, "capacity": {"min": 2, "max": 16}},
            "cache": {"evict": True, "memory": "20G"},
            "jobs": {"fifo": True},
            "search": {"memory": "20G"},
            "mail": {"from": "News <news@acme.example>", "providers": ["ses"]},
        }
    },
    "two providers of mail": {"resources": {"mail": examples.TWO_PROVIDERS}},
    "lists of addresses, webhook, budget": {
        "edge": examples.LISTED,
        "watch": {"budget": 500, "webhook": "https://alarms.acme.example/hook"},
    },
}


def body(to: Path, unit: str = "data", **overlay: object) -> dict[str, Any]:
    return dict(examples.templates("newsroom", to, **overlay)[unit].body)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The newsroom's stack of data: to be read only."""
    return body(tmp_path_factory.mktemp("newsroom"))


def properties(made: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = made["Resources"][id]["Properties"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("overlay", OPTIONS.values(), ids=OPTIONS)
def test_linter_and_own_rules_find_nothing_whatever_is_asked(
    overlay: dict[str, object], tmp_path: Path
) -> None:
    made = examples.templates("newsroom", tmp_path, **overlay)

    assert [found for one in made.values() for found in rules.broken(dict(one.body))] == []
    assert [found for one in made.values() for found in findings(one.text)] == []


@pytest.mark.parametrize("app", sorted(examples.OVERLAYS))
def test_own_rules_find_nothing(app: str) -> None:
    assert [f for _, text in examples.golden(app) for f in rules.broken(json.loads(text))] == []


@pytest.mark.parametrize(
    ("id", "key", "told"),
    [
        ("DbCluster", "Engine", "an engine"),
        ("DbCluster", "DeletionProtection", "deletion protection"),
        ("UploadsBucket", "BucketEncryption", "encryption"),
        ("UploadsBucket", "PublicAccessBlockConfiguration", "no public access"),
        ("JobsQueue", "RedrivePolicy", "a queue that sets messages aside"),
        ("JobsQueue", "KmsMasterKeyId", "encryption"),
        ("CacheReplicationGroup", "AuthToken", "TLS and a password"),
    ],
)
def test_own_rules_find_what_was_left_out(
    id: str, key: str, told: str, data: dict[str, Any]
) -> None:
    made = copy.deepcopy(data)
    properties(made, id).pop(key)

    assert any(told in found for found in rules.broken(made))


@pytest.mark.slow
def test_checkov_finds_nothing_but_what_was_weighed() -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed: scripts/setup dev")
    argv = [CHECKOV, "-d", examples.GOLDEN, "--framework", "cloudformation", "--quiet"]
    done = subprocess.run(
        [*map(str, argv), "--compact", "--skip-download", "--output", "json"],
        capture_output=True,
        text=True,
        timeout=180,
    )
    found = json.loads(done.stdout)["results"]["failed_checks"]
    assert json.loads(done.stdout)["summary"]["passed"] > 150

    failed = {(f["check_id"], f["resource"].split(".")[-1]) for f in found}
    known = {
        (rule, id)
        for rule, id in failed
        if any(rule == r and re.search(pattern, id) for r, pattern in SUPPRESSED)
    }
    assert failed - known == set()
    unused = [key for key in SUPPRESSED if not any(_matches(key, one) for one in failed)]
    assert unused == [], "no longer needed: take it out"


def _matches(key: tuple[str, str], found: tuple[str, str]) -> bool:
    return key[0] == found[0] and re.search(key[1], found[1]) is not None


def test_every_field_that_a_manifest_may_ask_for_is_there(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path)
    site = site_of(want)

    for name, spec in want.resources.items():
        assert set(RESOURCE_FIELDS[spec.type]) <= set(_resources.fields(want, site, name)), name


def test_apps_receive_what_the_contract_says(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path)
    site = site_of(want)
    found = dict[str, object]()
    for name in want.resources:
        found.update(_resources.variables(want, site, name))

    assert {
        "DB_URL", "DB_READER_URL", "DATABASE_URL", "CACHE_URL", "REDIS_URL", "SEARCH_URL", "OPENSEARCH_URL",
        "UPLOADS_BUCKET", "JOBS_QUEUE_URL", "MAIL_URL", "MAIL_FROM", "SMTP_URL",
    } <= set(found)  # fmt: skip
    for name in ("DATABASE_URL", "REDIS_URL", "OPENSEARCH_URL", "SMTP_URL"):
        value = found[name]
        assert isinstance(value, Mixed) and any(isinstance(p, Secret) for p in value.pieces)


def test_no_template_holds_a_password_and_no_role_may_do_everything(tmp_path: Path) -> None:
    for unit, made in examples.templates("newsroom", tmp_path).items():
        assert 'MasterUserPassword": "' not in made.text.replace("{{resolve", ""), unit
        for one in made.body["Resources"].values():
            if one["Type"] in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::User"):
                assert not re.search(r'"(s3|sqs|ses|kms|rds|\*):?\*"', json.dumps(one)), unit


def test_data_is_copied_to_the_standby_region_only_where_there_is_one(
    tmp_path: Path, data: dict[str, Any]
) -> None:
    here = properties(data, "UploadsBucket")["ReplicationConfiguration"]
    alone = body(tmp_path, standby_region=None)

    rule = here["Rules"][0]
    assert rule["Destination"]["ReplicationTime"]["Time"] == {"Minutes": 15}
    assert "ReplicationConfiguration" not in properties(alone, "UploadsBucket")


def test_the_content_network_may_read_public_prefixes_and_nobody_else(
    tmp_path: Path, data: dict[str, Any]
) -> None:
    want = examples.wanted("newsroom", tmp_path)
    policy = properties(data, "UploadsBucketPolicy")["PolicyDocument"]

    assert [(o.resource, o.prefixes) for o in objects.origins(want)] == [("uploads", ("media/",))]
    allowed = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudfront.amazonaws.com"}]
    assert "/media/*" in str(allowed[0]["Resource"])


def test_windows_are_long_enough_and_apart() -> None:
    assert _windows.backup("04:00-04:05") == "04:00-04:30"
    assert _windows.backup("23:30-00:30") == "23:30-00:30"
    assert _windows.maintenance("04:00-05:00") == "sun:05:00-sun:06:00"
    assert _windows.maintenance("23:30-00:30") == "mon:00:30-mon:01:30"


@pytest.mark.parametrize(
    ("memory", "kind"),
    [("64M", "cache.t4g.micro"), ("500M", "cache.t4g.small"), ("20G", "cache.r7g.2xlarge")],
)
def test_a_cache_is_as_small_as_it_may_be(memory: str, kind: str) -> None:
    spec = CacheSpec.model_validate({"type": "cache", "memory": memory})

    assert cache.node("cache", spec) == kind


def test_what_no_server_can_hold_is_refused() -> None:
    with pytest.raises(Refused, match="a server holds 314 G"):
        cache.node("c", CacheSpec.model_validate({"type": "cache", "memory": "400G"}))
    with pytest.raises(Refused, match="the largest has 128 G"):
        search.node("s", SearchSpec.model_validate({"type": "search", "memory": "400G"}))


def test_a_durable_cache_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no cache on aws is") as told:
        body(tmp_path, resources={"cache": {"durable": True}})
    assert "database" in told.value.hint


def test_capacity_is_a_range() -> None:
    with pytest.raises(ValueError, match=r"min .8. is greater than max .2."):
        DatabaseSpec.model_validate({"type": "database", "capacity": {"min": 8, "max": 2}})


def test_a_user_may_do_anything_in_its_schema_only() -> None:
    made = _database_user.statements("my_news", r"it's\x")

    assert made[-1] == r"GRANT ALL PRIVILEGES ON `my\_news`.* TO 'my_news'@'%'"
    assert made[1].endswith(r"IDENTIFIED BY 'it''s\\x'")


def test_mail_without_a_way_out_or_a_sender_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="mail provider sendgrid has no password"):
        body(tmp_path / "1", resources={"mail": {"from": "a@b.example"}})
    with pytest.raises(Refused, match="names no provider, and aws captures none"):
        body(tmp_path / "3", resources={"mail": {"from": "a@b.example", "providers": []}})
    with pytest.raises(ManifestError, match="does not say from which address"):
        body(tmp_path / "2", resources={"mail": {"providers": ["ses"]}})


def test_the_smtp_password_is_made_as_ses_documents_it() -> None:
    made = _mail_live.password("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")

    import base64

    raw = base64.b64decode(made)
    assert (len(raw), raw[0]) == (33, 4)
    assert made != _mail_live.password("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "eu-west-1")


def test_dns_records_are_told_as_they_must_be_written() -> None:
    made = [str(one) for one in _mail_records.records("acme.example", ["abc"], "eu-west-1")]

    assert made[0] == "abc._domainkey.acme.example CNAME abc.dkim.amazonses.com"
    assert made[1] == "bounce.acme.example MX 10 feedback-smtp.eu-west-1.amazonses.com"


def test_the_two_servers_of_a_database_are_in_two_zones(tmp_path: Path) -> None:
    site = site_of(examples.wanted("newsroom", tmp_path))

    assert [database.server("db", site, i).id for i in (0, 1)] == ["DbServerA", "DbServerB"]
