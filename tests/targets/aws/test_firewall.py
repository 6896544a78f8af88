"""The manifest's firewall in AWS's words: what it costs, what an exception leaves out, what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordillera.components.firewall import FirewallSpec
from cordillera.core.errors import Refused
from cordillera.targets.aws import _managed_rules, _web_acl, firewall
from tests.targets.aws import examples


def rules(outer: bool = True, **spec: object) -> dict[str, Any]:
    made = FirewallSpec.model_validate(spec)
    sets: dict[str, list[Any]] = {"allow": ["a"], "deny": ["d"]}
    return {one["Name"]: one for one in firewall.rules(made, outer=outer, sets=sets)}


def exception(path: str, *numbers: int) -> dict[str, object]:
    return {"path": path, "rules": list(numbers), "why": "prose is no attack"}


def test_the_plain_groups_and_the_rate_take_what_aws_says() -> None:
    spec = FirewallSpec()

    assert _web_acl.units([*_web_acl.managed(spec), _web_acl.rate(spec)]) == 1127


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_the_newsroom_fits_at_both_levels(level: str, tmp_path: Path) -> None:
    edge = {"domains": ["news.acme.example"], "firewall": {"level": level}}
    made = examples.templates("newsroom", tmp_path, edge=edge)

    for unit, id in (("front", "Firewall"), ("edge", "EdgeFirewall"), ("standby-app", "Firewall")):
        found = made[unit].body["Resources"][id]["Properties"]["Rules"]
        assert 1125 < _web_acl.units(found) <= _web_acl.UNITS_MAX


def test_more_than_aws_takes_is_refused_with_what_to_do() -> None:
    many = [exception(f"/place-{n}/", 942100) for n in range(20)]

    with pytest.raises(Refused, match="of 1500 capacity units") as told:
        rules(exceptions=many)

    assert "fewer paths" in told.value.hint


def test_an_exception_counts_the_rule_and_blocks_it_everywhere_else() -> None:
    made = rules(exceptions=[exception("/admin/", 942100), exception("/letters/", 942190)])

    group = made["SQLiRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {one["Name"] for one in group["RuleActionOverrides"]}
    assert counted == {managed.rule for managed in _managed_rules.FAMILIES["942"]}
    labels, elsewhere = made["EverywhereElse1"]["Statement"]["AndStatement"]["Statements"]
    keys = {one["LabelMatchStatement"]["Key"] for one in labels["OrStatement"]["Statements"]}
    assert "awswaf:managed:aws:sql-database:SQLi_Body" in keys
    paths = elsewhere["NotStatement"]["Statement"]["OrStatement"]["Statements"]
    begins = {one["ByteMatchStatement"]["SearchString"] for one in paths}
    assert begins == {"/admin/", "/letters/"}
    assert made["EverywhereElse1"]["Action"] == {"Block": {}}
    assert made["EverywhereElse1"]["Priority"] > made["SQLiRuleSet"]["Priority"]


def test_an_exception_for_shell_commands_leaves_that_group_out_on_its_path() -> None:
    made = rules(level="strict", exceptions=[exception("/admin/", 932100)])

    group = made["UnixRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    scope = group["ScopeDownStatement"]["NotStatement"]["Statement"]["ByteMatchStatement"]
    assert scope["SearchString"] == "/admin/"
    assert [t["Type"] for t in scope["TextTransformations"]] == ["URL_DECODE", "NORMALIZE_PATH"]


def test_count_blocks_nothing_that_visitors_send() -> None:
    made = rules(mode="count", deny=["192.0.2.0/24"], exceptions=[exception("/a/", 941100)])

    actions = [one.get("Action", one.get("OverrideAction")) for one in made.values()]
    assert actions == [{"Count": {}}] * len(actions)


def test_behind_cloudfront_the_balancer_judges_content_and_the_word_not_addresses() -> None:
    inner = rules(outer=False, deny=["192.0.2.0/24"])

    assert next(iter(inner)) == "OnlyThroughTheEdge"
    assert not {"Rate", "Allow", "Deny", "UploadLimit"} & set(inner)


@pytest.mark.parametrize(
    ("requests", "per", "limit", "window"),
    [(2000, "300s", 2000, 300), (100, "1m", 100, 60), (10, "1s", 600, 60), (6, "1h", 10, 600)],
)
def test_the_rate_is_counted_in_a_span_that_aws_has(
    requests: int, per: str, limit: int, window: int
) -> None:
    rate = _web_acl.rate(FirewallSpec.model_validate({"rate": {"requests": requests, "per": per}}))

    found = rate["Statement"]["RateBasedStatement"]
    assert (found["Limit"], found["EvaluationWindowSec"]) == (limit, window)


def test_everybody_is_written_as_two_halves_and_families_apart() -> None:
    assert _web_acl.addresses(["0.0.0.0/0", "2001:db8::/32"]) == {
        "IPV4": ["0.0.0.0/1", "128.0.0.0/1"],
        "IPV6": ["2001:db8::/32"],
    }


@given(st.integers(1, 10**12), st.integers(0, 10**13))
def test_larger_than_matches_larger_numbers_only(limit: int, number: int) -> None:
    pattern = re.compile(_web_acl.larger_than(limit))

    assert bool(pattern.match(str(number))) == (number > limit)
    assert not pattern.match(str(limit))
    assert pattern.match(str(limit + 1))
    assert len(pattern.pattern) <= 512


def test_another_rule_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="AWS's own"):
        examples.templates("hello", tmp_path, edge={"firewall": {"crs": "/opt/crs"}})
