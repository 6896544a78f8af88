"""What is looked at before anything is touched: each obstacle is a sentence and a hint."""

from pathlib import Path

import pytest

from cordillera.core.errors import CordilleraError, ManifestError, NotReady, Refused
from cordillera.targets.aws import _draft, _ecr, _preflight, _push
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._site import site_of
from tests.targets.aws import answers, examples
from tests.targets.aws.answers import Refusal

REGIONS = {
    "Regions": [
        {"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"},
        {"RegionName": "us-west-1", "OptInStatus": "opt-in-not-required"},
        {"RegionName": "ap-east-1", "OptInStatus": "not-opted-in"},
    ]
}
GOOD: dict[str, answers.Answer] = {
    "ec2__DescribeRegions": REGIONS,
    "sts__GetCallerIdentity": {"Arn": "arn:aws:iam::111111111111:user/ada"},
    "iam__SimulatePrincipalPolicy": {"EvaluationResults": []},
    "service_quotas__GetServiceQuota": {"Quota": {"Value": 1000.0}},
    "ec2__DescribeVpcs": {"Vpcs": []},
    "ec2__DescribeAddresses": {"Addresses": []},
    "elbv2__DescribeLoadBalancers": {"LoadBalancers": []},
    "route53__ListHostedZones": {
        "HostedZones": [{"Id": "Z1", "Name": "acme.example.", "CallerReference": "x"}],
        "Marker": "",
        "IsTruncated": False,
        "MaxItems": "100",
    },
    "rds__DescribeDBClusters": {"DBClusters": []},
    "sesv2__GetAccount": {"ProductionAccessEnabled": True},
    "ecr__DescribeImages": {"imageDetails": [{"imageTags": ["0123456789"]}]},
}
DIGEST = "sha256:" + "0a" * 32


def draft(app: str, to: Path, **overlay: object) -> Draft:
    want = examples.wanted(app, to, **overlay)
    made = _draft.draft(want, site_of(want))
    _draft.offline(made, {})
    return made


def told(made: Draft, monkeypatch: pytest.MonkeyPatch, **more: answers.Answer) -> CordilleraError:
    answers.install(monkeypatch, **{**GOOD, **more})
    with pytest.raises(CordilleraError) as found:
        _preflight.look(made)
    return found.value


def test_where_all_is_well_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = answers.install(monkeypatch, **GOOD)

    assert _preflight.look(draft("newsroom", tmp_path)) == ()
    assert all(
        name.split(".")[1].startswith(("Describe", "Get", "List", "Sim")) for name, _ in aws.asked
    )


def test_a_secret_that_nobody_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = {"image": "hello:1", "secrets": ["API_TOKEN", {"name": "KEY", "generate": True}]}
    made = draft("hello", tmp_path, services={"web": web})

    found = told(made, monkeypatch)
    made.versions = {"ApiTokenVersion": "1"}
    answers.install(monkeypatch, **GOOD)

    assert str(found).endswith("service web needs the secret API_TOKEN, which nobody set")
    assert "secrets set API_TOKEN" in found.hint
    assert _preflight.look(made) == ()


def test_a_region_that_is_not_enabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(draft("hello", tmp_path, region="ap-east-1"), monkeypatch)

    assert str(found) == "the region ap-east-1 is not enabled in the account"
    assert "aws account enable-region --region-name ap-east-1" in found.hint
    assert isinstance(found, Refused)


def test_a_region_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(draft("hello", tmp_path, region="mars-north-1"), monkeypatch)

    assert str(found) == "AWS has no region called mars-north-1"
    assert isinstance(found, ManifestError)


def test_a_limit_that_is_short_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    five = {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in range(5)]}
    found = told(
        draft("hello", tmp_path),
        monkeypatch,
        ec2__DescribeVpcs=five,
        service_quotas__GetServiceQuota=lambda asked: {
            "Quota": {"Value": 5.0 if asked["ServiceCode"] == "vpc" else 100.0}
        },
    )

    assert str(found) == "us-east-1: 1 VPCs are needed, and of 5 only 0 are left"
    assert "--quota-code L-F678F1CE --desired-value 6" in found.hint


def test_a_standby_region_that_comes_later_takes_of_its_own_limits_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = {"web": {"image": "hello:1"}}
    before = draft("hello", tmp_path / "1", services=services)
    want = examples.wanted("hello", tmp_path / "2", services=services, standby_region="us-west-1")
    made = _draft.draft(want, site_of(want))
    _draft.offline(made, {unit: dict(one.body) for unit, one in before.templates.items()})
    tight: dict[str, answers.Answer] = {
        "service_quotas__GetServiceQuota": {"Quota": {"Value": 5.0}},
        "ec2__DescribeAddresses": {"Addresses": [{"PublicIp": f"1.1.1.{n}"} for n in range(4)]},
    }
    aws = answers.install(monkeypatch, **{**GOOD, **tight})

    with pytest.raises(CordilleraError) as found:
        _preflight.look(made)

    texts = [str(one) for one in getattr(found.value, "all", (found.value,))]
    assert "us-west-1: 2 elastic IP addresses are needed, and of 5 only 1 are left" in texts
    assert not [text for text in texts if text.startswith("us-east-1")]
    assert aws.count("ec2.DescribeVpcs") == 1, "the network of its own region is there already"


def test_a_new_account_has_few_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Refusal("NoSuchResourceException")
    found = told(draft("newsroom", tmp_path), monkeypatch, service_quotas__GetServiceQuota=missing)

    assert [str(one) for one in getattr(found, "all", ())] == [
        f"{region}: 24 Fargate vCPUs are needed, and of 6 only 6 are left"
        for region in ("us-east-1", "us-west-1")
    ]


def test_several_obstacles_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Refusal("NoSuchResourceException")
    addresses = {"Addresses": [{"PublicIp": f"1.1.1.{n}"} for n in range(5)]}
    found = told(
        draft("newsroom", tmp_path, standby_region=None),
        monkeypatch,
        service_quotas__GetServiceQuota=missing,
        ec2__DescribeAddresses=addresses,
    )

    assert len(getattr(found, "all", ())) == 2


def test_permissions_that_are_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = {
        "EvaluationResults": [
            {"EvalActionName": "ec2:CreateVpc", "EvalDecision": "implicitDeny"},
        ]
    }
    found = told(draft("hello", tmp_path), monkeypatch, iam__SimulatePrincipalPolicy=denied)

    assert "may not do what this needs: ec2:CreateVpc" in str(found)
    assert "cordillera aws policy" in found.hint


def test_what_may_not_be_looked_at_is_said_and_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = Refusal("AccessDenied", "not allowed", status=403)
    answers.install(
        monkeypatch,
        **{
            **GOOD,
            "iam__SimulatePrincipalPolicy": no,
            "service_quotas__GetServiceQuota": no,
            "route53__ListHostedZones": no,
        },
    )

    remarks = _preflight.look(draft("newsroom", tmp_path))

    assert any("may not look at their own permissions" in one for one in remarks)
    assert any("how many VPCs are left in us-east-1" in one for one in remarks)
    assert any("not looked at before: the domain" in one for one in remarks)


def test_a_foreign_domain_and_the_sandbox_of_mails_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = {"HostedZones": [], "Marker": "", "IsTruncated": False, "MaxItems": "100"}
    answers.install(
        monkeypatch,
        **{
            **GOOD,
            "route53__ListHostedZones": zones,
            "rds__DescribeDBClusters": {"DBClusters": []},
            "sesv2__GetAccount": {"ProductionAccessEnabled": False},
        },
    )

    remarks = _preflight.look(draft("newsroom", tmp_path))

    assert any("news.acme.example has no zone" in one for one in remarks)
    assert any("SES is in its sandbox in us-east-1" in one for one in remarks)


def test_an_image_for_another_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    manifest = {"manifests": [{"platform": {"architecture": "amd64", "os": "linux"}}]}
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/hello:1"
    services = {"web": {"image": image, "architecture": "arm64"}}
    found = told(
        draft("hello", tmp_path, services=services),
        monkeypatch,
        ecr__BatchGetImage={"images": [{"imageManifest": json.dumps(manifest)}]},
    )

    assert str(found) == f"service web runs on arm64, and {image} is for amd64"


def test_an_image_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/hello:1"
    found = told(
        draft("hello", tmp_path, services={"web": {"image": image}}),
        monkeypatch,
        ecr__BatchGetImage={"images": []},
    )

    assert str(found) == f"service web: there is no image {image}"


@pytest.mark.parametrize(
    ("ending", "id"),
    [
        ("", {"imageTag": "latest"}),
        (":1.2", {"imageTag": "1.2"}),
        (f"@{DIGEST}", {"imageDigest": DIGEST}),
        (f":1.2@{DIGEST}", {"imageDigest": DIGEST}),
    ],
)
def test_an_image_is_asked_for_by_its_tag_or_its_digest(
    ending: str, id: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = f"222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/hello{ending}"
    aws = answers.install(
        monkeypatch, **{**GOOD, "ecr__BatchGetImage": {"images": [{"imageManifest": "{}"}]}}
    )

    assert _preflight.look(draft("hello", tmp_path, services={"web": {"image": image}})) == ()

    asked = next(params for call, params in aws.asked if call == "ecr.BatchGetImage")
    assert asked == {
        "registryId": "222222222222",
        "repositoryName": "team/hello",
        "imageIds": [id],
    }


@pytest.mark.parametrize(
    "image", ["hello:1", "public.ecr.aws/team/hello:1", "ghcr.io/team/hello@sha256:00"]
)
def test_an_image_elsewhere_is_not_ecrs(image: str) -> None:
    assert _ecr.parsed(image) is None


def test_without_a_container_engine_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_push, "engine", lambda: None)
    found = told(
        draft("hello", tmp_path), monkeypatch, ecr__DescribeImages=Refusal("ImageNotFoundException")
    )

    assert "neither Docker nor Podman answers here" in str(found)
    assert isinstance(found, Refused)


def test_without_a_dockerfile_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_push, "engine", lambda: "/usr/bin/docker")
    found = told(
        draft("hello", tmp_path),
        monkeypatch,
        ecr__DescribeImages=Refusal("RepositoryNotFoundException"),
    )

    assert str(found) == "service web has no Dockerfile, and aws runs images only"


def test_expired_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draft("hello", tmp_path, account={"profile": "acme"})
    found = told(made, monkeypatch, ec2__DescribeRegions=Refusal("ExpiredToken"))

    assert str(found) == "the AWS login has expired"
    assert found.hint.startswith("aws sso login --profile acme")


def test_throttling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(
        draft("hello", tmp_path), monkeypatch, ec2__DescribeVpcs=Refusal("RequestLimitExceeded")
    )

    assert str(found) == "AWS asks us to slow down (DescribeVpcs)"
    assert isinstance(found, NotReady)
