"""The firewall: AWS WAF on CloudFront, and on the balancer behind it."""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub, logs, wafv2

from cordillera.components.firewall import FirewallSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _edge_word, _keys, _web_acl, balancer
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import AwsPart, Parts, Plain, part
from cordillera.targets.aws._public import behind_edge, public_service
from cordillera.targets.aws._refs import Ref, camel, text
from cordillera.targets.aws._site import EDGE, EDGE_REGION, FRONT, Site

OFFER = Offered(
    "AWS's rules: an exception leaves a whole family of attacks out of body and query on its path; "
    "`rate` counts in spans of 60, 120, 300 or 600 s; bodies are limited by their Content-Length and "
    "looked into up to 8 kB, at the edge 16 (strict: 64); no `crs`, no `arguments_limit`"
)

EDGE_ACL = Ref(EDGE, "EdgeFirewall")
ACL = Ref(FRONT, "Firewall")
LOG_DAYS = 90
HIDDEN = ("authorization", "cookie", _edge_word.HEADER)
"""Headers that are not written to the log."""
LOGGED = ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
INSPECTED = {"standard": "KB_16", "strict": "KB_64"}


class Firewall(Component):
    """An outer web ACL that judges addresses and content, an inner one where CloudFront is the outer."""

    name = "firewall"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if public_service(want) is None:
            return ()
        if want.edge.firewall.crs:
            raise Refused(
                "`edge.firewall.crs` is not possible on `aws`: its rules are AWS's own",
                hint="leave it out in this environment",
            )
        made = [*_acl(ACL, want, site), part("firewall", FRONT, _association())]
        if behind_edge(want):
            made += [*_acl(EDGE_ACL, want, site), _edge_word.secret(site)]
        return made


def rules(spec: FirewallSpec, *, outer: bool, sets: dict[str, list[Any]]) -> list[Any]:
    """The rules of one of the two. Addresses are judged by the outer one: behind CloudFront, the
    balancer sees CloudFront's. Raises Refused beyond what AWS takes."""
    found: list[Any] = []
    if outer:
        found += [*_web_acl.networks(spec, sets["allow"], sets["deny"]), _web_acl.rate(spec)]
        found += [*_web_acl.sizes(spec)]
    else:
        found.append(_web_acl.only_through_the_edge(_edge_word.HEADER, _edge_word.value(FRONT)))
    found += [*_web_acl.doors(spec), *_web_acl.managed(spec), *_web_acl.exceptions(spec)]
    used = _web_acl.units(found)
    if used > _web_acl.UNITS_MAX:
        raise Refused(
            f"the firewall's rules would take {used} of {_web_acl.UNITS_MAX} capacity units",
            hint="have fewer paths under edge.firewall.exceptions, or `level: standard`",
        )
    return _web_acl.numbered(found)


def _acl(acl: Ref, want: Wanted, site: Site) -> Iterator[AwsPart]:
    spec, at_edge = want.edge.firewall, acl == EDGE_ACL
    outer = at_edge or not behind_edge(want)
    sets = dict[str, list[Any]](allow=[], deny=[])
    if outer:
        for made, word in _sets(acl, spec):
            sets[word].append(Ref(acl.unit, made.name).get("Arn"))
            yield made
    more: dict[str, Any] = {}
    if at_edge:
        size = {"DefaultSizeInspectionLimit": INSPECTED[spec.level]}
        more["AssociationConfig"] = {"RequestBody": {"CLOUDFRONT": size}}
    yield part(
        "firewall",
        acl.unit,
        Plain(
            "AWS::WAFv2::WebACL",
            acl.id,
            {
                "Scope": _scope(acl.unit),
                "DefaultAction": {"Allow": {}},
                "Rules": rules(spec, outer=outer, sets=sets),
                "VisibilityConfig": {
                    "SampledRequestsEnabled": True,
                    "CloudWatchMetricsEnabled": True,
                    "MetricName": acl.id,
                },
                **more,
            },
        ),
    )
    yield from _log(acl, site)


def _scope(unit: str) -> str:
    return "CLOUDFRONT" if unit == EDGE else "REGIONAL"


def _sets(acl: Ref, spec: FirewallSpec) -> Iterator[tuple[AwsPart, str]]:
    for word, networks in (("allow", spec.allow), ("deny", spec.deny)):
        for version, found in _web_acl.addresses(networks).items():
            made = wafv2.IPSet(
                camel(acl.id, word, version),
                Scope=_scope(acl.unit),
                IPAddressVersion=version,
                Addresses=found,
            )
            yield part("firewall", acl.unit, made), word


def _association() -> Any:
    return wafv2.WebACLAssociation(
        "FirewallAssociation", ResourceArn=balancer.LOAD_BALANCER, WebACLArn=ACL.get("Arn")
    )


def _log(acl: Ref, site: Site) -> Iterator[AwsPart]:
    """What was blocked or counted. AWS wants the log's name to begin in its own way."""
    group = Ref(acl.unit, f"{acl.id}Log")
    ours = acl.unit != EDGE or site.region == EDGE_REGION
    yield part(
        "firewall",
        acl.unit,
        logs.LogGroup(
            group.id,
            LogGroupName=f"aws-waf-logs-{site.name(acl.id.lower())}",
            RetentionInDays=LOG_DAYS,
            # The environment's key does not exist in another region.
            **({"KmsKeyId": _keys.KEY.get("Arn")} if ours else {}),
        ),
    )
    yield part("firewall", acl.unit, _logging(acl, group))


def _logging(acl: Ref, group: Ref) -> Any:
    conditions = [{"ActionCondition": {"Action": action}} for action in LOGGED]
    keep = {"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": conditions}
    log_groups = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
    return Plain(
        "AWS::WAFv2::LoggingConfiguration",
        f"{acl.id}Logging",
        {
            "ResourceArn": acl.get("Arn"),
            # What GetAtt tells ends in `:*`, which WAF does not take.
            "LogDestinationConfigs": [text(Sub(log_groups), group)],
            "RedactedFields": [{"SingleHeader": {"Name": name}} for name in HIDDEN],
            "LoggingFilter": {"DefaultBehavior": "DROP", "Filters": [keep]},
        },
    )
