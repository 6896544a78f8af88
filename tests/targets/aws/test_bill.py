"""The bill: everything that costs is in it, choices save what they say, limits count at the most."""

from dataclasses import replace
from pathlib import Path

import pytest

from cordillera.components.bill import Bill, Item
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _bill, _choices, _draft, _mail_relay, _prices, _pricing, _quotas
from cordillera.targets.aws._rows import Row
from cordillera.targets.aws._site import site_of
from tests.targets.aws import examples


def bill_of(app: str, to: Path, **overlay: object) -> list[Item]:
    want = examples.wanted(app, to, **overlay)
    return list(_bill.items_of(_bill.rows_of(want)))


def whole_bill(want: Wanted) -> Bill | None:
    return _bill.details(_draft.draft(want, site_of(want))).bill


def row(kind: str, **properties: object) -> Row:
    return Row("data", "us-east-1", "x", "X", f"AWS::{kind}", properties, {})


def cost(one: Row) -> float:
    return sum(c.usd or 0.0 for c in _pricing.of(one, _prices.of(one.region)))


@pytest.mark.parametrize("app", examples.OVERLAYS)
def test_every_type_of_the_templates_is_priced_or_known_to_be_free(
    app: str, tmp_path: Path
) -> None:
    types = {r.type for r in _bill.rows_of(examples.wanted(app, tmp_path))}

    assert types - _pricing.PRICERS.keys() - _pricing.FREE == set()


def test_a_type_that_nobody_priced_is_listed_and_never_nothing() -> None:
    found = _pricing.of(row("Kinesis::Stream"), _prices.of("us-east-1"))

    assert [(c.what, c.usd) for c in found] == [("Kinesis::Stream", None)]


def test_a_size_without_a_price_is_listed_and_never_nothing() -> None:
    found = _pricing.of(
        row("RDS::DBInstance", DBInstanceClass="db.x9.huge"), _prices.of("us-east-1")
    )

    assert [c.usd for c in found] == [None]


def test_resources_that_are_not_built_yet_are_in_the_bill(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path)
    bill = whole_bill(want)
    assert bill is not None

    built = {item.component for item in bill.items if item.usd is not None}
    unpriced = {item.component for item in bill.unpriced}
    assert {spec.type for spec in want.resources.values()} <= built | unpriced


def test_servers_of_data_are_priced_by_their_sizes() -> None:
    nodes = row(
        "ElastiCache::ReplicationGroup", CacheNodeType="cache.t4g.small", NumCacheClusters=2
    )
    valkey = replace(nodes, properties={**nodes.properties, "Engine": "valkey"})
    proud = row(
        "OpenSearchService::Domain",
        ClusterConfig={"InstanceType": "t3.small.search", "InstanceCount": 3},
        EBSOptions={"VolumeSize": 10},
    )

    assert cost(nodes) == pytest.approx(2 * 0.032 * 730)
    assert cost(valkey) == pytest.approx(0.8 * cost(nodes))
    assert cost(proud) == pytest.approx(3 * 0.036 * 730 + 30 * 0.122)
    assert cost(row("RDS::DBInstance", DBInstanceClass="db.t4g.medium")) == pytest.approx(53.29)


def test_choices_save_what_they_say(tmp_path: Path) -> None:
    want = examples.wanted("newsroom", tmp_path / "plain")
    bill = whole_bill(want)
    assert bill is not None
    saved = {choice.how: choice.saves_usd for choice in bill.choices}

    cheaper = bill_of("newsroom", tmp_path / "none", network={"outbound": "none"})

    total = sum(item.usd or 0.0 for item in cheaper)
    assert bill.total_usd - total == pytest.approx(saved["network: {outbound: none}"])
    assert list(saved.values()) == sorted(saved.values(), reverse=True)


def test_no_choice_names_what_no_manifest_can_change(tmp_path: Path) -> None:
    providers = {"mail": {"type": "mail", **examples.TWO_PROVIDERS}}
    want = _mail_relay.with_relays(examples.wanted("newsroom", tmp_path, resources=providers))
    assert "mail-relay" in want.services

    choices = [how for _, how, _ in _choices.alternatives(want)]

    assert choices
    assert not [how for how in choices if "mail-relay" in how]


def test_the_cheapest_newsroom_is_a_quarter_below_the_plain_reference(tmp_path: Path) -> None:
    bill = whole_bill(examples.wanted("newsroom", tmp_path))
    assert bill is not None and bill.comparison is not None

    found = bill.comparison

    assert found.below >= 0.25
    built = [i for i in found.plain if i.component not in found.not_built]
    ours = [i for i in found.cheapest if i.component not in found.not_built]
    assert sum(i.usd or 0 for i in ours) <= 0.75 * sum(i.usd or 0 for i in built)


def test_spot_keeps_the_first_copy_and_costs_less(tmp_path: Path) -> None:
    services = {"worker": {"spot": True, "architecture": "arm64"}}

    want = examples.wanted("newsroom", tmp_path, services=services)
    made = _draft.draft(want, site_of(want)).templates

    worker = made["app"].body["Resources"]["WorkerService"]["Properties"]
    assert "LaunchType" not in worker
    assert worker["CapacityProviderStrategy"] == [
        {"Base": 1, "CapacityProvider": "FARGATE", "Weight": 0},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 1},
    ]
    task = made["release"].body["Resources"]["WorkerTask"]["Properties"]
    assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    lines = [c.what for r in _bill.rows_of(want) for c in _pricing.of(r, _prices.of("us-east-1"))]
    assert "1 Fargate Spot tasks of 1 vCPU and 2 GB, Graviton" in lines


def test_a_region_without_prices_says_whose_stand_in(tmp_path: Path) -> None:
    bill = whole_bill(examples.wanted("hello", tmp_path, region="eu-central-1"))
    assert bill is not None

    assert bill.remarks == ["no prices of eu-central-1 are known: those of us-east-1 stand in"]


def test_limits_count_the_most_copies_twice_because_of_releases(tmp_path: Path) -> None:
    needs = _quotas.needs(_bill.rows_of(examples.wanted("newsroom", tmp_path)))

    found = {need.limit: need.takes for need in needs}
    assert found["VPCs"] == 1
    assert found["elastic IP addresses"] == 2
    assert found["Fargate vCPUs"] == 2 * (8 + 4)


@pytest.mark.parametrize("scale", [3, {"min": 2, "max": 8}])
def test_a_standby_region_needs_the_cores_of_a_failover(scale: object, tmp_path: Path) -> None:
    want = examples.wanted(
        "hello", tmp_path, standby_region="us-west-1", services={"web": {"scale": scale}}
    )

    cores = {
        need.region: need.takes
        for need in _quotas.needs(_bill.rows_of(want))
        if need.limit == "Fargate vCPUs"
    }
    assert cores["us-west-1"] == cores["us-east-1"] > 0


@pytest.mark.parametrize(("outbound", "addresses"), [("zone", 2), ("single", 1), ("none", None)])
def test_a_standby_region_needs_the_addresses_and_the_databases_of_a_failover(
    outbound: str, addresses: int | None, tmp_path: Path
) -> None:
    network = {"outbound": outbound}
    want = examples.wanted("newsroom", tmp_path, network=network)

    found = {(need.region, need.limit): need.takes for need in _quotas.needs(_bill.rows_of(want))}
    for region in ("us-east-1", "us-west-1"):
        assert found[region, "VPCs"] == 1
        assert found.get((region, "elastic IP addresses")) == addresses
        assert found[region, "Aurora clusters"] == 1


def test_the_table_of_prices_has_a_date_and_the_same_lines_for_each_region() -> None:
    table = _prices.table()

    assert table["date"] and {"us-east-1", "us-west-1"} <= table["regions"].keys()
    east, west = (table["regions"][r] for r in ("us-east-1", "us-west-1"))
    assert west.keys() <= east.keys()
    assert all(price > 0 for region in table["regions"].values() for price in region.values())
