"""Cheaper ways to run the same environment that keep it highly available, each with what it saves. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cordillera.components.bill import Choice
from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _mail_relay, _prices, _pricing
from cordillera.targets.aws._rows import Row

LEAST_USD = 0.5
LEAST_UNITS = 0.5


def choices(
    want: Wanted, rows: Sequence[Row], total: float, price: Callable[[Wanted], float]
) -> list[Choice]:
    """Those that save, the largest first. `price` is the cost of a month of another wish."""
    found = [
        Choice(what, how, total - price(other)) for what, how, other in alternatives(want)
    ] + list(_smaller(rows))
    return sorted((c for c in found if c.saves_usd > LEAST_USD), key=lambda c: -c.saves_usd)


def alternatives(want: Wanted) -> Iterator[tuple[str, str, Wanted]]:
    """(what, how in the manifest, the wish): what the manifest itself may ask."""
    if want.network.outbound == "zone":
        yield (
            "one NAT gateway for all zones (its zone's loss cuts calls to the outside, not visitors)",
            "network: {outbound: single}",
            _network(want, outbound="single"),
        )
    if want.network.outbound != "none":
        yield (
            "no NAT gateway: tasks get addresses of their own behind closed security groups",
            "network: {outbound: none}",
            _network(want, outbound="none"),
        )
    if want.network.endpoints:
        yield (
            "no paid endpoints; the one to S3 is free and stays",
            "network: {endpoints: []}",
            _network(want, endpoints=[]),
        )
    own = _own(want)
    x86 = [n for n, s in own.items() if s.architecture == "x86_64"]
    if x86:
        yield (
            "Graviton (the images must exist for arm64)",
            "; ".join(f"services.{n}: {{architecture: arm64}}" for n in x86),
            _services(want, x86, architecture="arm64"),
        )
    workers = [n for n, s in own.items() if not s.public and not s.spot and s.scale.min > 1]
    if workers:
        yield (
            "Spot for all but the first copy of what no visitor waits for (two minutes' notice)",
            "; ".join(f"services.{n}: {{spot: true}}" for n in workers),
            _services(want, workers, spot=True),
        )


def _own(want: Wanted) -> Mapping[str, ServiceSpec]:
    """The manifest's services: mail relays are made by us, and no manifest can change them."""
    relays = _mail_relay.relays(want)
    return {name: spec for name, spec in want.services.items() if name not in relays}


def cheapest(want: Wanted) -> Wanted:
    """All of the manifest's choices at once."""
    made = _network(want, outbound="none", endpoints=[])
    own = _own(want)
    made = _services(made, list(own), architecture="arm64")
    workers = [n for n, s in own.items() if not s.public and s.scale.min > 1]
    return _services(made, workers, spot=True)


def smallest(row: Row) -> Row:
    """The same resource as small as keeps it highly available."""
    made = dict(row.properties)
    if row.type == "AWS::RDS::DBInstance" and row.get("DBInstanceClass") != "db.serverless":
        made["DBInstanceClass"] = "db.t4g.medium"
    if row.type == "AWS::OpenSearchService::Domain":
        made["ClusterConfig"] = _smallest_search(row.get("ClusterConfig", {}))
    if row.type == "AWS::ElastiCache::ReplicationGroup":
        made["CacheNodeType"] = "cache.t4g.micro"
        made["Engine"] = "valkey"
    return replace(row, properties=made)


def _smallest_search(config: Mapping[str, Any]) -> dict[str, Any]:
    """Three small servers vote; in a region of two zones it takes managers of their own."""
    zones = config.get("ZoneAwarenessConfig", {}).get("AvailabilityZoneCount", 3)
    if config.get("ZoneAwarenessEnabled") and zones == 2:
        return {**config, "InstanceType": "t3.small.search"}
    kept = {k: v for k, v in config.items() if not k.startswith("DedicatedMaster")}
    return {**kept, "InstanceType": "t3.small.search", "InstanceCount": 3}


def _smaller(rows: Sequence[Row]) -> Iterator[Choice]:
    """Smaller servers of the resources that are there already."""
    for row in rows:
        prices = _prices.of(row.region)
        before, after = _priced(row, prices), _priced(smallest(row), prices)
        if before is not None and after is not None and after < before:
            yield Choice(
                f"{row.id}: the smallest servers that keep it highly available",
                f"a smaller {row.component}",
                before - after,
            )
    yield from _fewer_units(rows)


def _fewer_units(rows: Sequence[Row]) -> Iterator[Choice]:
    """Serverless databases that need not be as large at rest."""
    for row in rows:
        if row.type != "AWS::RDS::DBInstance" or row.get("DBInstanceClass") != "db.serverless":
            continue
        cluster = row.find(row.get("DBClusterIdentifier"))
        scaling: Mapping[str, float] = (
            cluster.get("ServerlessV2ScalingConfiguration", {}) if cluster else {}
        )
        spare = float(scaling.get("MinCapacity", LEAST_UNITS)) - LEAST_UNITS
        unit = _prices.of(row.region).month("aurora acu")
        if spare > 0 and unit:
            yield Choice(
                f"{row.id}: {LEAST_UNITS:g} serverless units at rest",
                "a lower minimum",
                spare * unit,
            )


def _priced(row: Row, prices: _prices.Prices) -> float | None:
    costs = _pricing.of(row, prices) if row.type in _pricing.PRICERS else []
    known = [cost.usd for cost in costs if cost.usd is not None]
    return sum(known) if len(known) == len(costs) else None


def _network(want: Wanted, **change: object) -> Wanted:
    return replace(want, network=want.network.model_copy(update=change))


def _services(want: Wanted, names: Sequence[str], **change: object) -> Wanted:
    made = {
        name: spec.model_copy(update=change) if name in names else spec
        for name, spec in want.services.items()
    }
    return replace(want, services=made)
