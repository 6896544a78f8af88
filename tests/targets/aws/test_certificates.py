"""A certificate that waits for DNS: its records are written where we may, and else told.

Emulators issue certificates at once, so stand-ins answer here; no real AWS was reachable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cordillera.components.protocol import Note, Progress
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _apply, _client, _draft, _online, certificate
from cordillera.targets.aws._cloudformation import Stack, Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import EDGE, FRONT, STANDBY_APP, site_of
from tests.targets.aws import answers, examples
from tests.targets.aws.answers import Refusal

HERE, THERE = "eu-central-1", "eu-west-1"
NAME, VALUE = "_a1.news.acme.example", "_b2.xyz.acm-validations.aws"
WRITE = "write this record into your DNS, the certificate waits for it"
PARTS = (("name", NAME), ("type", "CNAME"), ("value", VALUE))
WAITS = "the certificate waits for DNS"
ARN = "arn:aws:acm:{region}:111111111111:certificate/{name}"
STACK = "arn:aws:cloudformation:eu-central-1:111111111111:stack/cordillera-acme-production-front/1"
NO = Refusal("AccessDenied", "not allowed", status=403)


@dataclass
class World:
    """Certificates that wait, and the account's zones with their records."""

    zones: tuple[str, ...] = ()
    own: str = "own"
    """The certificate that the stack has; empty while it has none."""

    waiting: tuple[str, ...] = ("own",)
    records: dict[str, str] = field(default_factory=dict)
    regions: list[str] = field(default_factory=list)
    """Where ACM was asked."""

    def install(self, monkeypatch: pytest.MonkeyPatch, **more: answers.Answer) -> answers.Aws:
        known: dict[str, answers.Answer] = {
            "cloudformation__ListStackResources": self.resources,
            "acm__DescribeCertificate": self.describe,
            "acm__ListCertificates": self.list,
            "route53__ListHostedZones": self.list_zones,
            "route53__ListResourceRecordSets": self.list_records,
            "route53__ChangeResourceRecordSets": self.change,
        }
        aws = answers.install(monkeypatch, **{**known, **more})
        made = _client._made

        def noting(key: tuple[str, str, str], service: str, region: str) -> Any:
            self.regions += [region] if service == "acm" else []
            return made(key, service, region)

        monkeypatch.setattr(_client, "_made", noting)
        return aws

    def resources(self, _: Mapping[str, Any]) -> dict[str, Any]:
        ids = ("Certificate", "EdgeCertificate") if self.own else ()
        return {"StackResourceSummaries": [_resource(id, _arn(self.own)) for id in ids]}

    def describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name = asked["CertificateArn"].rsplit("/", 1)[-1]
        status = "PENDING_VALIDATION" if name in self.waiting else "SUCCESS"
        option = {
            "DomainName": "news.acme.example",
            "ValidationStatus": status,
            "ResourceRecord": {"Name": f"{NAME}.", "Type": "CNAME", "Value": f"{VALUE}."},
        }
        wildcard = {**option, "DomainName": "*.news.acme.example"}
        return {"Certificate": {"DomainValidationOptions": [option, wildcard]}}

    def list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert asked["Includes"] == {"keyTypes": ["EC_prime256v1"]}
        found = [(_arn(name), "news.acme.example") for name in self.waiting]
        rows = [*found, (_arn("anothers"), "other.example")]
        return {
            "CertificateSummaryList": [
                {"CertificateArn": arn, "DomainName": domain} for arn, domain in rows
            ]
        }

    def list_zones(self, _: Mapping[str, Any]) -> dict[str, Any]:
        zones = [{"Id": f"Z-{n}", "Name": f"{n}.", "CallerReference": "x"} for n in self.zones]
        return {"HostedZones": zones, "Marker": "", "IsTruncated": False, "MaxItems": "100"}

    def list_records(self, _: Mapping[str, Any]) -> dict[str, Any]:
        found = [
            {"Name": f"{name}.", "Type": "CNAME", "ResourceRecords": [{"Value": value}]}
            for name, value in self.records.items()
        ]
        return {"ResourceRecordSets": found, "IsTruncated": False, "MaxItems": "100"}

    def change(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        for one in asked["ChangeBatch"]["Changes"]:
            made = one["ResourceRecordSet"]
            self.records[made["Name"]] = made["ResourceRecords"][0]["Value"]
        info = {"Id": "C1", "Status": "PENDING", "SubmittedAt": datetime.now(UTC)}
        return {"ChangeInfo": info}


@pytest.fixture
def want(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wanted:
    monkeypatch.setenv("CORDILLERA_HOME", str(tmp_path / "home"))
    return examples.wanted(
        "hello",
        tmp_path,
        region=HERE,
        standby_region=THERE,
        services={"web": {"image": "hello:1"}},
        edge={"domains": ["news.acme.example", "*.news.acme.example"]},
    )


def told(unit: str, want: Wanted) -> Progress | None:
    return certificate.Certificate().meanwhile(unit, want, Live(site_of(want)))


def test_records_go_into_the_accounts_own_zone_once(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(zones=("acme.example", "other.example"))
    aws = world.install(monkeypatch)

    said = {told(FRONT, want) for _ in range(3)}

    assert world.records == {NAME: VALUE}
    assert aws.count("route53.ChangeResourceRecordSets") == 1
    seen = "waiting for ACM to see in Route 53 whose news.acme.example is"
    assert said == {Progress(done=False, detail=seen)}


def test_a_record_of_another_account_is_mended(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(zones=("acme.example",), records={NAME: "_old.acm-validations.aws"})
    world.install(monkeypatch)

    told(FRONT, want)

    assert world.records == {NAME: VALUE}


def test_who_owns_the_dns_is_told_the_whole_record(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(zones=("other.example",))
    world.install(monkeypatch)

    assert told(FRONT, want) == Progress(False, WAITS, notes=(Note(WRITE, PARTS),))
    assert world.records == {}


@pytest.mark.parametrize(
    ("unit", "region"), [(FRONT, HERE), (EDGE, "us-east-1"), (STANDBY_APP, THERE)]
)
def test_every_stack_with_a_certificate_is_looked_after_in_its_own_region(
    unit: str, region: str, want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(zones=("acme.example",))
    world.install(monkeypatch)

    told(unit, want)

    assert set(world.regions) == {region}
    assert world.records == {NAME: VALUE}


def test_every_certificate_of_the_templates_is_looked_after(want: Wanted) -> None:
    site = site_of(want)
    held = {
        (unit, id)
        for unit, one in _draft.draft(want, site).templates.items()
        for id, made in one.body["Resources"].items()
        if made["Type"] == "AWS::CertificateManager::Certificate"
    }

    known = {unit: certificate.made_in(unit, want, site) for unit, _ in held}
    assert len(held) == 3
    assert {(unit, ref.id if ref else "") for unit, ref in known.items()} == held


def test_no_template_holds_a_zone_which_would_replace_the_certificate(want: Wanted) -> None:
    for one in _draft.draft(want, site_of(want)).templates.values():
        assert "HostedZoneId" not in one.text


def test_stacks_without_a_certificate_ask_nobody(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.install(monkeypatch)

    assert told("app", want) is None


@pytest.mark.parametrize("world", [World(own=""), World(own="old", waiting=("new",))])
def test_a_certificate_that_the_stack_does_not_name_yet_is_found_by_its_domain(
    world: World, want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.zones = ("acme.example",)
    world.install(monkeypatch)

    told(FRONT, want)

    assert world.records == {NAME: VALUE}


def test_an_issued_certificate_needs_nothing(want: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(zones=("acme.example",), waiting=())
    world.install(monkeypatch)

    assert told(FRONT, want) is None
    assert world.records == {}


def test_who_may_not_write_is_told_what_to_write_and_why(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(zones=("acme.example",)).install(monkeypatch, route53__ChangeResourceRecordSets=NO)

    said = told(FRONT, want)

    why = "not written into Route 53: the credentials may not do this: not allowed"
    assert said is not None
    assert said.notes == (Note(f"{WRITE} ({why})", PARTS),)


def test_who_may_not_look_is_told_where_to_look(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    World().install(monkeypatch, acm__DescribeCertificate=NO)

    said = told(FRONT, want)

    assert said is not None
    (note,) = said.notes
    assert note.text.startswith("see which DNS record the certificate waits for")
    assert note.text.endswith("(the credentials may not do this: not allowed)")
    assert f"aws acm list-certificates --region {HERE}" in note.text


@pytest.mark.parametrize("error", ["Throttling", "RequestLimitExceeded"])
def test_a_busy_aws_is_asked_again_later(
    error: str, want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    World().install(monkeypatch, acm__DescribeCertificate=Refusal(error))

    assert told(FRONT, want) is None


def test_up_tells_it_while_the_stack_is_made_and_again_when_it_was_killed(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"] * 2

    def describe(_: Mapping[str, Any]) -> dict[str, Any]:
        return {"Stacks": [_stack(states.pop(0))]}

    World().install(
        monkeypatch,
        cloudformation__DescribeStacks=describe,
        cloudformation__DescribeStackEvents={"StackEvents": []},
    )
    draft, heard = _draft.draft(want, site_of(want)), list[Progress]()

    _apply._wait(FRONT, STACK, Stacks(draft.site), "up-1", heard.append, draft)
    _apply._at_rest(FRONT, draft, heard.append)

    assert [one.notes for one in heard] == [(Note(WRITE, PARTS),)] * 2
    assert [one.detail.splitlines() for one in heard] == [
        [WAITS],
        [WAITS, "waiting for what is under way: CREATE_IN_PROGRESS"],
    ]


def test_what_is_rolled_back_or_deleted_waits_for_no_record(
    want: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    answers.install(
        monkeypatch,
        cloudformation__DescribeStacks=lambda _: {"Stacks": [_stack(states.pop(0))]},
    )

    _apply._at_rest(FRONT, _draft.draft(want, site_of(want)), lambda _: None)

    assert states == []


def test_a_stack_that_an_up_before_began_is_in_the_plan(want: Wanted) -> None:
    draft = _draft.draft(want, site_of(want))
    draft.old = {FRONT: dict(draft.templates[FRONT].body)}
    draft.found = {FRONT: Stack(STACK, "front", "CREATE_IN_PROGRESS")}

    changes = _online._unit(FRONT, draft)

    assert [one.why for one in changes] == ["was begun and not finished: CREATE_IN_PROGRESS"]


def _arn(name: str) -> str:
    return ARN.format(region=HERE, name=name)


def _resource(id: str, physical: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": id,
        "PhysicalResourceId": physical,
        "ResourceType": "AWS::CertificateManager::Certificate",
        "LastUpdatedTimestamp": datetime(2026, 11, 1, tzinfo=UTC),
        "ResourceStatus": "CREATE_IN_PROGRESS",
    }


def _stack(status: str) -> dict[str, Any]:
    return {
        "StackName": "cordillera-acme-production-front",
        "StackId": STACK,
        "StackStatus": status,
        "CreationTime": datetime(2026, 11, 1, tzinfo=UTC),
    }
