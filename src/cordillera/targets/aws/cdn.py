"""The content cache at the edge: CloudFront in front of the balancer, and of public objects."""

import re
from collections.abc import Iterator
from typing import Any

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _edge_logs, _edge_word, _public, balancer, certificate, objects
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import Parts, Plain, part
from cordillera.targets.aws._public import DISTRIBUTION, behind_edge
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import EDGE, Site
from cordillera.targets.aws.firewall import EDGE_ACL

OFFER = Offered(
    "CloudFront; without a domain requests go from it to the balancer as HTTP and the app sees "
    "`X-Forwarded-Proto: http`; a public object that is missing is not asked of the app"
)

CACHE, STORED = Ref(EDGE, "EdgeCache"), Ref(EDGE, "EdgeStoredObjects")
NO_COOKIES = Ref(EDGE, "EdgeWithoutCookies")
READER = Ref(EDGE, "EdgeReader")
NOT_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""AWS's own cache policy CachingDisabled."""
PASSED = Ref(EDGE, "EdgePassed")
"""Every header, cookie and query of a visitor, `Host` among them, but the headers below."""
NOT_PASSED = (
    "Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "X-Real-IP",
    "Client-IP",
    "True-Client-IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Request-ID",
)
"""What apps believe of what is said about a visitor, his path and his host: a policy takes ten."""

BALANCER = "balancer"
ORIGIN_ANSWERS_WITHIN_S = 60
KEPT_S, KEPT_MAX_S = 600, 31_536_000
READS = ["GET", "HEAD", "OPTIONS"]
EVERYTHING = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
PATTERN = re.compile(r"^[A-Za-z0-9_\-.*$/~\"'@:+&?]+$")
PATTERNS_MAX = 24


class Cdn(Component):
    """Nothing where no service is public, or the environment is reached from inside only."""

    name = "cdn"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not behind_edge(want):
            return ()
        made = [_distribution(want, site), *_policies(want, site)]
        return [*(part("cdn", EDGE, one) for one in made), *_edge_logs.parts(site)]


def stored(want: Wanted) -> list[tuple[str, str]]:
    """(resource, prefix) of the public objects that there are buckets for."""
    return _public.public_objects(want) if isinstance(objects.OFFER, Offered) else []


def _distribution(want: Wanted, site: Site) -> Any:
    issued = certificate.at_edge(want, site)
    tls = {
        "AcmCertificateArn": issued,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    more: dict[str, Any] = {}
    if issued is not None:
        more = {"Aliases": list(want.edge.domains), "ViewerCertificate": tls}
    config = {
        "Enabled": True,
        "Comment": f"Cordillera: {site.environment}",
        "HttpVersion": "http2and3",
        "IPV6Enabled": True,
        "PriceClass": "PriceClass_All",
        "WebACLId": EDGE_ACL.get("Arn"),
        "Origins": list(_origins(want)),
        "DefaultCacheBehavior": {
            **_behaviour(BALANCER, EVERYTHING, NOT_CACHED),
            "OriginRequestPolicyId": PASSED,
        },
        "CacheBehaviors": list(_behaviours(want)),
        **more,
    }
    return Plain("AWS::CloudFront::Distribution", DISTRIBUTION.id, {"DistributionConfig": config})


def _origins(want: Wanted) -> Iterator[dict[str, Any]]:
    word = {"HeaderName": _edge_word.HEADER, "HeaderValue": _edge_word.value(EDGE)}
    yield {
        "Id": BALANCER,
        "DomainName": balancer.LOAD_BALANCER.get("DNSName"),
        "OriginCustomHeaders": [word],
        "CustomOriginConfig": {
            # Its certificate is for the domain, which CloudFront asks for because `Host` is passed on.
            "OriginProtocolPolicy": "https-only" if want.edge.domains else "http-only",
            "OriginSSLProtocols": ["TLSv1.2"],
            "OriginReadTimeout": ORIGIN_ANSWERS_WITHIN_S,
            "OriginKeepaliveTimeout": ORIGIN_ANSWERS_WITHIN_S - 5,
        },
    }
    for resource in dict.fromkeys(name for name, _ in stored(want)):
        yield {
            "Id": f"objects-{resource}",
            "DomainName": _public.bucket(resource).get("RegionalDomainName"),
            "OriginAccessControlId": READER.get("Id"),
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }


def _behaviours(want: Wanted) -> Iterator[dict[str, Any]]:
    paths = [(f"/{prefix}*", f"objects-{name}", STORED) for name, prefix in stored(want)]
    paths += [(pattern, BALANCER, CACHE) for pattern in want.edge.cache]
    _refuse_odd([pattern for pattern, _, _ in paths])
    for pattern, origin, policy in paths:
        yield {
            "PathPattern": pattern,
            **_behaviour(origin, READS, policy),
            "ResponseHeadersPolicyId": NO_COOKIES,
        }


def _refuse_odd(patterns: list[str]) -> None:
    for pattern in patterns:
        if not PATTERN.match(pattern):
            raise Refused(
                f"CloudFront takes no path pattern like {pattern}",
                hint="use letters, digits and * in edge.cache and in public prefixes",
            )
    if len(patterns) > PATTERNS_MAX:
        raise Refused(
            f"{len(patterns)} path patterns are kept at the edge, and {PATTERNS_MAX} are possible",
            hint="join some of edge.cache with *",
        )


def _behaviour(origin: str, methods: list[str], policy: Any) -> dict[str, Any]:
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": methods,
        "CachedMethods": ["GET", "HEAD"],
        "CachePolicyId": policy,
        "Compress": True,
    }


def _policies(want: Wanted, site: Site) -> Iterator[Any]:
    yield _passed(site)
    if want.edge.cache:
        yield _cache_policy(CACHE, site, headers=["Host"], query="all")
    if stored(want):
        yield _cache_policy(STORED, site, headers=[], query="none")
        yield Plain(
            "AWS::CloudFront::OriginAccessControl",
            READER.id,
            {
                "OriginAccessControlConfig": {
                    "Name": site.name("reader", limit=64),
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        )
    if want.edge.cache or stored(want):
        config = {
            "Name": site.name("no-cookies", limit=128),
            "RemoveHeadersConfig": {"Items": [{"Header": "Set-Cookie"}]},
        }
        yield Plain(
            "AWS::CloudFront::ResponseHeadersPolicy",
            NO_COOKIES.id,
            {"ResponseHeadersPolicyConfig": config},
        )


def _passed(site: Site) -> Any:
    config = {
        "Name": site.name("passed", limit=128),
        "CookiesConfig": {"CookieBehavior": "all"},
        "HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": list(NOT_PASSED)},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }
    return Plain(
        "AWS::CloudFront::OriginRequestPolicy",
        PASSED.id,
        {"OriginRequestPolicyConfig": config},
    )


def _cache_policy(policy: Ref, site: Site, *, headers: list[str], query: str) -> Any:
    """As long as the app's Cache-Control says, ten minutes if it says nothing; cookies are removed."""
    listed = {"HeaderBehavior": "whitelist", "Headers": headers}
    config = {
        "Name": site.name(policy.id, limit=128),
        "MinTTL": 0,
        "DefaultTTL": KEPT_S,
        "MaxTTL": KEPT_MAX_S,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "CookiesConfig": {"CookieBehavior": "none"},
            "HeadersConfig": listed if headers else {"HeaderBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": query},
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": True,
        },
    }
    return Plain("AWS::CloudFront::CachePolicy", policy.id, {"CachePolicyConfig": config})
