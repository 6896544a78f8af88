"""CloudFront: what is kept, what it may read, where its own things lie, how it is told to visitors."""

from pathlib import Path
from typing import Any

import pytest

from cordillera.components.target import Offered
from cordillera.core.errors import Refused
from cordillera.targets.aws import _draft, cdn, objects
from cordillera.targets.aws._parts import Plain, part
from cordillera.targets.aws._site import DATA, site_of
from tests.targets.aws import examples

DOMAIN = {"domains": ["news.acme.example"]}


def distribution(made: Any) -> Any:
    return made["edge"].body["Resources"]["Distribution"]["Properties"]["DistributionConfig"]


def test_without_a_domain_the_address_is_cloudfronts_own_over_https(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path)

    task = made["release"].body["Resources"]["WebTask"]["Properties"]["ContainerDefinitions"][0]
    url = next(v["Value"] for v in task["Environment"] if v["Name"] == "CORDILLERA_URL")
    assert url == {"Fn::Join": ["", ["https://", {"Ref": "EdgeDistributionDomainName"}]]}
    assert "Aliases" not in distribution(made)


def test_an_internal_environment_has_no_edge(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path, network={"internal": True})

    assert "edge" not in made
    rules = made["front"].body["Resources"]["Firewall"]["Properties"]["Rules"]
    assert "Rate" in [rule["Name"] for rule in rules]


@pytest.mark.parametrize(
    ("region", "owner"), [("eu-central-1", "EdgeCertificate"), ("us-east-1", "FrontCertificate")]
)
def test_its_certificate_is_in_us_east_1(region: str, owner: str, tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path, region=region, edge=DOMAIN)

    assert made["edge"].region == "us-east-1"
    tls = distribution(made)["ViewerCertificate"]
    assert tls["AcmCertificateArn"] == {"Ref": owner}
    assert ("EdgeCertificate" in made["edge"].body["Resources"]) == (region != "us-east-1")


def test_cached_paths_lose_cookies_both_ways(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path, edge={"cache": ["/static/*"]})

    resources = made["edge"].body["Resources"]
    behaviour = distribution(made)["CacheBehaviors"][0]
    assert behaviour["PathPattern"] == "/static/*"
    assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "EdgeWithoutCookies"}
    kept = resources["EdgeCache"]["Properties"]["CachePolicyConfig"]
    cookies = kept["ParametersInCacheKeyAndForwardedToOrigin"]["CookiesConfig"]
    assert cookies == {"CookieBehavior": "none"}


def test_a_path_that_cloudfront_cannot_match_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no path pattern like"):
        examples.templates("hello", tmp_path, edge={"cache": ["/(a|b)/*"]})


def test_public_objects_are_read_by_the_edge_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = part("objects", DATA, Plain("AWS::S3::Bucket", "UploadsBucket", {}))
    monkeypatch.setattr(objects, "OFFER", Offered())
    monkeypatch.setattr(objects.Objects, "parts", lambda *_: [bucket])
    want = examples.wanted("newsroom", tmp_path)

    made = _draft.draft(want, site_of(want)).templates

    origin = next(o for o in distribution(made)["Origins"] if o["Id"] == "objects-uploads")
    assert origin["DomainName"] == {"Ref": "DataUploadsBucketRegionalDomainName"}
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["EdgeReader", "Id"]}
    paths = [b["PathPattern"] for b in distribution(made)["CacheBehaviors"]]
    assert paths == ["/media/*", "/static/*"]


def test_the_word_reaches_no_template(tmp_path: Path) -> None:
    made = examples.templates("hello", tmp_path, region="eu-central-1")

    secret = made["front"].body["Resources"]["EdgeWord"]["Properties"]
    assert secret["ReplicaRegions"] == [{"Region": "us-east-1"}]
    header = distribution(made)["Origins"][0]["OriginCustomHeaders"][0]
    assert "{{resolve:secretsmanager:" in str(header["HeaderValue"])
    assert "${AWS::Region}" in str(header["HeaderValue"])


def test_not_built_objects_have_no_origin(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path)

    assert cdn.stored(want) == (
        [("uploads", "media/")] if isinstance(objects.OFFER, Offered) else []
    )
