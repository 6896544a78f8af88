"""The plain reference architecture beside the cheapest that stays highly available, priced alike. Pure.

Plain is what guides draw: a NAT gateway per zone, x86, no Spot, provisioned servers, dedicated masters.
What this version does not build yet is on both sides too, and said: plain there, at its smallest here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cordillera.components.bill import Comparison, Item
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _choices, _prices, _pricing
from cordillera.targets.aws._rows import Row

Build = Callable[[Wanted], Sequence[Row]]
AURORA, INSTANCE = "AWS::RDS::DBCluster", "AWS::RDS::DBInstance"
PLAIN: Mapping[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "database": (
        (AURORA, {"Engine": "aurora-mysql"}),
        (INSTANCE, {"DBInstanceClass": "db.t4g.medium"}),
        (INSTANCE, {"DBInstanceClass": "db.t4g.medium"}),
    ),
    "cache": (
        (
            "AWS::ElastiCache::ReplicationGroup",
            {"CacheNodeType": "cache.t4g.small", "NumCacheClusters": 2, "Engine": "redis"},
        ),
    ),
    "search": (
        (
            "AWS::OpenSearchService::Domain",
            {
                "ClusterConfig": {
                    "InstanceType": "t3.small.search",
                    "InstanceCount": 2,
                    "DedicatedMasterEnabled": True,
                    "DedicatedMasterType": "t3.small.search",
                    "DedicatedMasterCount": 3,
                },
                "EBSOptions": {"VolumeSize": 10},
            },
        ),
    ),
    "objects": (("AWS::S3::Bucket", {}),),
    "queue": (("AWS::SQS::Queue", {}), ("AWS::SQS::Queue", {})),
    "mail": (("AWS::SES::EmailIdentity", {}),),
    "firewall": (("AWS::WAFv2::WebACL", {"Rules": [{}] * 5}),),
}
"""What guides draw for each component; the firewall where something is public."""


def comparison(want: Wanted, build: Build) -> Comparison:
    """Both, item by item. `build` makes the rows of a wish."""
    plain = build(_plain_wish(want))
    ours = [_choices.smallest(row) for row in build(_choices.cheapest(want))]
    built = {row.component for row in ours}
    asked: list[str] = [spec.type for spec in want.resources.values()]
    asked += ["firewall"] if any(s.public for s in want.services.values()) else []
    drawn = [row for one in asked for row in _drawn(one, want)]
    missing = [_choices.smallest(row) for row in drawn if row.component not in built]
    rest = [row for row in plain if row.component not in PLAIN]
    return Comparison(
        plain=list(_items([*rest, *drawn])),
        cheapest=list(_items([*ours, *missing])),
        not_built=sorted({row.component for row in missing}),
    )


def _plain_wish(want: Wanted) -> Wanted:
    services = {
        name: spec.model_copy(update={"architecture": "x86_64", "spot": False})
        for name, spec in want.services.items()
    }
    network = want.network.model_copy(update={"outbound": "zone"})
    return replace(want, services=services, network=network)


def _drawn(component: str, want: Wanted) -> Iterator[Row]:
    for number, (kind, properties) in enumerate(PLAIN.get(component, ())):
        yield Row("", want.region, component, f"{component}{number}", kind, properties, {})


def _items(rows: Iterable[Row]) -> Iterator[Item]:
    for row in rows:
        for cost in _pricing.of(row, _prices.of(row.region)):
            yield Item(row.component, row.id, cost.what, cost.usd, cost.assumes)
