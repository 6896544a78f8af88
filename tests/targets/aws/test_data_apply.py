"""Every kind of data resource against emulators: made, probed, used with its own permissions, and gone.

No real AWS was reachable when this was written. What an emulator cannot do is told where it is stepped over.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Place
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import (
    _certificate_live,
    _database_live,
    _database_user,
    _home,
    _mail_live,
    _mail_relay,
    _once,
    _push,
    _roles,
    certificate,
    mail,
    objects,
    queue,
)
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._database_ids import cluster, user_secret
from cordillera.targets.aws._engine import AwsEngine
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._mail_ids import login, user
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import DATA, FRONT, STANDBY_APP, Site, site_of
from cordillera.targets.aws._verbs import AwsVerbs
from tests.targets.aws import examples
from tests.targets.aws.applied import up

pytestmark = pytest.mark.slow
AT = Place(examples.ENVIRONMENT, "us-east-1")


@pytest.fixture(autouse=True)
def _stepped_over(databases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No container runs here, so no release command does."""
    monkeypatch.setattr(_once, "release", lambda *_: None)


def newsroom(to: Path, **more: object) -> Wanted:
    """Out of an image: nothing is built here."""
    want = examples.wanted("newsroom", to, **more)
    services = {
        name: spec
        if name in _mail_relay.relays(want)
        else spec.model_copy(update={"image": "news:1", "build": None})
        for name, spec in want.services.items()
    }
    return dataclasses.replace(want, services=services)


@pytest.fixture
def live(account: str, tmp_path: Path) -> Live:
    """The newsroom, up in an account of its own."""
    want = newsroom(tmp_path)
    up(want)
    return Live(site_of(want))


def test_a_second_up_has_nothing_to_do(live: Live, tmp_path: Path) -> None:
    assert AwsEngine().plan(newsroom(tmp_path / "again"), AT).changes == ()


def test_every_resource_is_probed_and_none_is_believed(live: Live) -> None:
    found = AwsEngine().observe(AT).resources

    assert set(found) == {"db", "cache", "search", "uploads", "jobs", "mail"}
    assert {m.role for m in found["cache"].members} == {"primary", "replica"}
    assert (found["cache"].healthy, found["cache"].durable) == (True, False)
    assert (found["jobs"].healthy, found["jobs"].durable) == (True, True)
    assert len({m.zone for m in found["db"].members}) == 2
    # What ministack leaves out is told: two writers, no health, no replication, no proof of the domain.
    assert found["db"].detail == "2 servers are writers, and one should be"
    assert found["search"].detail == "AWS does not tell how the domain is"
    assert found["uploads"].detail == "objects are not copied to the standby region"
    assert "its DNS needs bounce.acme.example MX 10 feedback-smtp" in found["mail"].detail


def test_the_bucket_keeps_old_versions_and_is_closed(live: Live) -> None:
    s3, name = live.client("s3"), live.physical(objects.bucket("uploads"))
    for text in (b"one", b"two"):
        s3.put_object(Bucket=name, Key="media/x", Body=text)

    versions = s3.list_object_versions(Bucket=name)["Versions"]

    assert len(versions) == 2
    assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())


def test_a_message_that_nobody_can_work_on_is_set_aside(live: Live) -> None:
    sqs, url = live.client("sqs"), live.physical(queue.queue("jobs"))
    sqs.send_message(QueueUrl=url, MessageBody="poison")

    for _ in range(9):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", ()):
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )

    state = AwsEngine().observe(AT).resources["jobs"]
    assert state.detail == "1 messages were set aside"


def test_the_smtp_password_belongs_to_the_users_only_key(live: Live) -> None:
    _mail_live.make_login("mail", live)
    _mail_live.make_login("mail", live)

    keys = live.client("iam").list_access_keys(UserName=live.physical(user("mail")))
    place = live.physical(login("mail"))
    value = json.loads(
        live.client("secretsmanager").get_secret_value(SecretId=place)["SecretString"]
    )
    assert [k["AccessKeyId"] for k in keys["AccessKeyMetadata"]] == [value["username"]]
    assert set(value) == {"username", "password", "password_in_url"}


def test_mails_records_go_into_the_zone_that_is_there(live: Live) -> None:
    dns = live.client("route53")
    zone = dns.create_hosted_zone(Name="acme.example", CallerReference="1")["HostedZone"]["Id"]

    _mail_live.write_records("acme.example", live)
    _mail_live.write_records("acme.example", live)

    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {"bounce.acme.example.", "_dmarc.acme.example."} <= {one["Name"] for one in found}


def test_what_proves_the_certificates_goes_into_the_zone_that_is_there(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator issues at once: what it calls proven is taken for what is not."""
    monkeypatch.setattr(_certificate_live, "PENDING", "SUCCESS")
    want, dns = newsroom(tmp_path / "again"), live.client("route53")
    zone = dns.create_hosted_zone(Name="acme.example", CallerReference="2")["HostedZone"]["Id"]

    said = {certificate.Certificate().meanwhile(unit, want, live) for unit in (FRONT, STANDBY_APP)}

    assert {one and one.detail for one in said} == {
        "waiting for ACM to see in Route 53 whose news.acme.example is"
    }
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    made = [one for one in found if one["Type"] == "CNAME"]
    assert [one["Name"] for one in made] == ["_acme-challenge.news.acme.example."]
    assert "acm.amazonaws.com" in made[0]["ResourceRecords"][0]["Value"]


def test_a_database_that_left_the_manifest_loses_its_protection_only_then(live: Live) -> None:
    rds, name = live.client("rds"), live.physical(cluster("db"))

    def protected() -> bool:
        found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return bool(found["DeletionProtection"])

    _database_live.unprotect(live, keep=[cluster("db").id])
    assert protected()
    _database_live.unprotect(live, keep=[])
    assert not protected()


def test_a_refused_statement_never_shows_the_password(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        _database_user, "statements", lambda _, password: [f"ALTER USER x BY '{password}'"]
    )

    with pytest.raises(CordilleraError, match=r"refused ALTER USER") as told:
        _database_user.make("db", live)

    assert " BY " not in str(told.value) and told.value.__cause__ is None


def test_a_rotated_password_reaches_services_with_the_next_up(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server is behind the emulator's Data API: what statements do is in `test_rotation`."""
    monkeypatch.setattr(_database_user, "add_password", lambda *_: None)
    before = _composed(live)

    AwsVerbs().rotate_secret(examples.ENVIRONMENT, "db")
    planned = AwsEngine().plan(newsroom(tmp_path / "1"), AT)
    kept = _composed(live)
    up(newsroom(tmp_path / "2"), token="up-2")

    told = next(one.why for one in planned.changes if one.name == "WebTask")
    assert told.endswith("; secret resources.db.password changed")
    assert "data" not in planned.units
    assert kept == before
    password = _database_user.password_in(_secret(live, user_secret("db")))
    assert password in _composed(live) and password not in before
    assert AwsEngine().plan(newsroom(tmp_path / "3"), AT).changes == ()


def _composed(live: Live) -> str:
    """The variables in which secrets occur; no JSON here: the emulator's passwords have every sign."""
    return str(_secret(live, _roles.composed("web"))["SecretString"])


def _secret(live: Live, at: Ref) -> dict[str, Any]:
    manager = live.client("secretsmanager")
    found: dict[str, Any] = manager.get_secret_value(SecretId=live.physical(at))
    return found


def test_destroy_leaves_no_bucket_cluster_domain_user_or_key(live: Live) -> None:
    live.client("s3").put_object(
        Bucket=live.physical(objects.bucket("uploads")), Key="media/x", Body=b"x"
    )

    AwsEngine().destroy(AT)

    site = live.site
    assert [unit for unit in ("network", DATA, "standby") if Stacks(site).describe(unit)] == []
    assert _left(live, site) == []


def _left(live: Live, site: Site) -> list[str]:
    names = [one["Name"] for one in live.client("s3").list_buckets()["Buckets"]]
    # The account's own stay: templates' bucket, and the trail's.
    names = [name for name in names if "templates" not in name and "-account-" not in name]
    for region in site.regions:
        found = live.client("rds", region).describe_db_clusters()["DBClusters"]
        names += [one["DBClusterIdentifier"] for one in found]
        found = live.client("opensearch", region).list_domain_names()["DomainNames"]
        names += [one["DomainName"] for one in found]
        found = live.client("elasticache", region).describe_replication_groups()
        names += [one["ReplicationGroupId"] for one in found["ReplicationGroups"]]
        names += live.client("sqs", region).list_queues().get("QueueUrls", ())
    return names + [one["UserName"] for one in live.client("iam").list_users()["Users"]]


def test_a_relay_has_a_disk_that_all_of_its_copies_reach(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_push, "there", lambda *_: True)  # test_containers builds it
    want = newsroom(tmp_path, resources={"mail": examples.TWO_PROVIDERS})
    _home.save_wanted(want)
    AwsVerbs().set_secret(examples.ENVIRONMENT, "SENDGRID_PASSWORD", "x")

    up(want)

    assert AwsEngine().plan(want, AT).changes == ()
    live = Live(site_of(want))
    there = Stacks(live.site).describe(STANDBY_APP)
    assert there is not None and there.status == "CREATE_COMPLETE"
    efs, disk = live.client("efs"), live.physical(_mail_relay.disk("mail"))
    made = efs.describe_file_systems(FileSystemId=disk)["FileSystems"][0]
    assert made["Encrypted"]
    reached = efs.describe_mount_targets(FileSystemId=disk)["MountTargets"]
    assert len({one["SubnetId"] for one in reached}) == len(live.site.zones)

    AwsEngine().destroy(AT)

    for region in live.site.regions:
        assert live.client("efs", region).describe_file_systems()["FileSystems"] == []


def test_every_option_comes_up_too(account: str, tmp_path: Path) -> None:
    resources: dict[str, dict[str, object]] = {
        "db": {"capacity": {"min": 2, "max": 16}, "require_tls": True},
        "cache": {"evict": True, "memory": "2G"},
        "jobs": {"fifo": True},
    }
    want = newsroom(tmp_path, zones=3, standby_region=None)
    specs = {
        name: spec.model_validate({**spec.model_dump(by_alias=True), **resources.get(name, {})})
        for name, spec in want.resources.items()
    }
    want = dataclasses.replace(want, resources=specs, standby_region=None)

    up(want)

    url = Live(site_of(want)).physical(queue.queue("jobs"))
    assert url.endswith(".fifo")
    assert mail.domain("mail", specs["mail"]) == "acme.example"  # type: ignore[arg-type]
