"""The rules of a web ACL out of the manifest's firewall, and what they cost of AWS's capacity. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from cordillera.components import visitor
from cordillera.components.firewall import ExceptionSpec, FirewallSpec
from cordillera.targets.aws import _managed_rules
from cordillera.targets.aws._managed_rules import Group, Managed

Rule = dict[str, Any]
WINDOWS_S = (60, 120, 300, 600)
RATE_MIN = 10
BLOCK: Rule = {"Block": {}}
COUNT: Rule = {"Count": {}}
PLAIN_PATH = ("URL_DECODE", "NORMALIZE_PATH")
"""So that `/admin/%2e%2e/` is not taken for a path under `/admin/`."""

UNITS_MAX = 1500
"""Capacity units that a web ACL may have at the plain price."""
UNITS = {"ByteMatchStatement": 2, "RegexMatchStatement": 3, "RateBasedStatement": 2}
UNITS_OF_TRANSFORMATION = 10


def managed(spec: FirewallSpec) -> list[Rule]:
    """AWS's rule groups of the level, with the manifest's exceptions."""
    left = {one.rule: one for e in spec.exceptions for one in _managed_rules.of(e.rules)}
    return [_group(g, left, spec) for g in _managed_rules.GROUPS[spec.level]]


def exceptions(spec: FirewallSpec) -> Iterator[Rule]:
    """What was set to count for an exception blocks by its label on all other paths."""
    paths_of: dict[Managed, tuple[str, ...]] = {}
    for one in spec.exceptions:
        for rule in _managed_rules.of(one.rules):
            paths_of[rule] = tuple(dict.fromkeys((*paths_of.get(rule, ()), one.path)))
    for number, paths in enumerate(dict.fromkeys(paths_of.values()), 1):
        labels = [_labelled(rule) for rule, found in paths_of.items() if found == paths]
        elsewhere = {"NotStatement": {"Statement": _any([_path(p) for p in paths])}}
        statement = {"AndStatement": {"Statements": [_any(labels), elsewhere]}}
        yield _own(f"EverywhereElse{number}", statement, spec)


def rate(spec: FirewallSpec) -> Rule:
    """Requests of one address, in the nearest span that AWS counts."""
    window = min(WINDOWS_S, key=lambda seconds: abs(seconds - spec.rate.per))
    limit = max(RATE_MIN, round(spec.rate.requests * window / spec.rate.per))
    statement = {
        "RateBasedStatement": {
            "AggregateKeyType": "IP",
            "Limit": limit,
            "EvaluationWindowSec": window,
        }
    }
    return _own("Rate", statement, spec, status=429)


def networks(spec: FirewallSpec, allow: Sequence[Any], deny: Sequence[Any]) -> Iterator[Rule]:
    """Who may come and who may not: ARNs of the sets that hold them."""
    if spec.allow:
        outside = {"NotStatement": {"Statement": _any([_in_set(arn) for arn in allow])}}
        yield _own("Allow", outside, spec)
    if spec.deny:
        yield _own("Deny", _any([_in_set(arn) for arn in deny]), spec)


def doors(spec: FirewallSpec) -> Iterator[Rule]:
    """What no rule looks through: paths that two servers read differently, and other protocols."""
    path = {
        "FieldToMatch": {"UriPath": {}},
        "RegexString": f"(?i){visitor.ODD_PATH}|//",
        "TextTransformations": _transformed(("NONE",)),
    }
    yield _own("OddPath", {"RegexMatchStatement": path}, spec, status=400)
    websocket = _match(
        {"SingleHeader": {"Name": "upgrade"}}, "websocket", "EXACTLY", ("LOWERCASE",)
    )
    others = [_there("upgrade"), {"NotStatement": {"Statement": websocket}}]
    either = _any([{"AndStatement": {"Statements": others}}, _there("http2-settings")])
    yield _own("Upgrade", either, spec, status=400)


def sizes(spec: FirewallSpec) -> Iterator[Rule]:
    """Bodies that are too large, as their `Content-Length` tells."""
    yield _own("UploadLimit", _longer(spec.upload_limit), spec, status=413)
    if spec.body_limit < spec.upload_limit:
        no_file = {"NotStatement": {"Statement": _header("content-type", "multipart/form-data")}}
        both = {"AndStatement": {"Statements": [_longer(spec.body_limit), no_file]}}
        yield _own("BodyLimit", both, spec, status=413)


def only_through_the_edge(header: str, word: Any) -> Rule:
    """Whoever does not say the word did not come through CloudFront. Blocked in every mode."""
    said = _match({"SingleHeader": {"Name": header}}, word, "EXACTLY", ("NONE",))
    return _rule("OnlyThroughTheEdge", {"NotStatement": {"Statement": said}}, Action=BLOCK)


def numbered(rules: Iterator[Rule] | Sequence[Rule]) -> list[Rule]:
    """The rules in their order."""
    return [{**rule, "Priority": number} for number, rule in enumerate(rules)]


def units(rules: Sequence[Rule]) -> int:
    """Capacity units (WCU) of rules: what AWS documents, transformations counted where there are any."""
    return sum(_units(rule["Statement"]) for rule in rules)


def larger_than(number: int) -> str:
    """A regular expression for decimal numbers above that one, zeros before them allowed."""
    digits = str(number)
    more = [f"[1-9][0-9]{{{len(digits)},}}"]
    for at, digit in enumerate(digits):
        if digit != "9":
            rest = len(digits) - at - 1
            more.append(f"{digits[:at]}[{int(digit) + 1}-9]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return f"^0*({'|'.join(more)})$"


def addresses(networks: Sequence[str]) -> dict[str, list[str]]:
    """IPV4 and IPV6 -> networks. AWS takes no network of everybody: that becomes its two halves."""
    found: dict[str, list[str]] = {}
    for text in networks:
        network = ipaddress.ip_network(text)
        halves = network.subnets() if network.prefixlen == 0 else [network]
        found.setdefault(f"IPV{network.version}", []).extend(map(str, halves))
    return found


def _group(group: Group, left: dict[str, Managed], spec: FirewallSpec) -> Rule:
    counted = [
        *_managed_rules.ALWAYS_COUNTED.get(group, ()),
        *(one.rule for one in left.values() if one.group == group),
    ]
    statement: Rule = {"VendorName": "AWS", "Name": group.name}
    if counted:
        statement["RuleActionOverrides"] = [
            {"Name": name, "ActionToUse": COUNT} for name in counted
        ]
    paths = list(dict.fromkeys(e.path for e in spec.exceptions if _whole(e, group)))
    if paths:
        statement["ScopeDownStatement"] = {
            "NotStatement": {"Statement": _any([_path(path) for path in paths])}
        }
    action: Rule = COUNT if spec.mode == "count" else {"None": {}}
    return _rule(
        group.name.removeprefix("AWSManagedRules"),
        {"ManagedRuleGroupStatement": statement},
        OverrideAction=action,
    )


def _whole(exception: ExceptionSpec, group: Group) -> bool:
    families = {str(rule)[:3] for rule in exception.rules}
    return any(_managed_rules.WHOLE_GROUPS.get(family) == group for family in families)


def _own(name: str, statement: Rule, spec: FirewallSpec, *, status: int = 403) -> Rule:
    block = {"Block": {"CustomResponse": {"ResponseCode": status}}} if status != 403 else BLOCK
    return _rule(name, statement, Action=COUNT if spec.mode == "count" else block)


def _rule(name: str, statement: Rule, **action: Rule) -> Rule:
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    return {"Name": name, "Statement": statement, "VisibilityConfig": seen, **action}


def _any(statements: list[Rule]) -> Rule:
    return statements[0] if len(statements) == 1 else {"OrStatement": {"Statements": statements}}


def _labelled(rule: Managed) -> Rule:
    return {"LabelMatchStatement": {"Scope": "LABEL", "Key": rule.label}}


def _in_set(arn: Any) -> Rule:
    return {"IPSetReferenceStatement": {"Arn": arn}}


def _path(begin: str) -> Rule:
    return _match({"UriPath": {}}, begin, "STARTS_WITH", PLAIN_PATH)


def _header(name: str, begin: str) -> Rule:
    return _match({"SingleHeader": {"Name": name}}, begin, "STARTS_WITH", ("LOWERCASE",))


def _there(header: str) -> Rule:
    return {
        "SizeConstraintStatement": {
            "FieldToMatch": {"SingleHeader": {"Name": header}},
            "ComparisonOperator": "GT",
            "Size": 0,
            "TextTransformations": _transformed(("NONE",)),
        }
    }


def _longer(limit: int) -> Rule:
    return {
        "RegexMatchStatement": {
            "FieldToMatch": {"SingleHeader": {"Name": "content-length"}},
            "RegexString": larger_than(limit),
            "TextTransformations": _transformed(("NONE",)),
        }
    }


def _match(field: Rule, text: Any, how: str, transformations: Sequence[str]) -> Rule:
    return {
        "ByteMatchStatement": {
            "FieldToMatch": field,
            "SearchString": text,
            "PositionalConstraint": how,
            "TextTransformations": _transformed(transformations),
        }
    }


def _transformed(kinds: Sequence[str]) -> list[Rule]:
    return [{"Priority": number, "Type": kind} for number, kind in enumerate(kinds)]


def _units(statement: Rule) -> int:
    ((kind, body),) = statement.items()
    if kind in ("AndStatement", "OrStatement"):
        return sum(_units(one) for one in body["Statements"])
    if kind == "NotStatement":
        return _units(body["Statement"])
    if kind == "ManagedRuleGroupStatement":
        scope = body.get("ScopeDownStatement")
        known = {g.name: g.units for level in _managed_rules.GROUPS.values() for g in level}
        return known[body["Name"]] + (_units(scope) if scope else 0)
    changed = [t for t in body.get("TextTransformations", ()) if t["Type"] != "NONE"]
    return UNITS.get(kind, 1) + UNITS_OF_TRANSFORMATION * len(changed)
