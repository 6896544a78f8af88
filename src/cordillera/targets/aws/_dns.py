"""Records of DNS, and their way into Route 53 where the account has the zone."""

from collections.abc import Sequence
from dataclasses import dataclass

from cordillera.targets.aws._live import Live

TTL_S = 1800


@dataclass(frozen=True)
class Record:
    """One record; `hint` means that an existing one of that name is left as it is."""

    name: str
    type: str
    value: str
    hint: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.value}"


def zone(domain: str, live: Live) -> str:
    """The id of the account's own public zone that holds the domain; empty when there is none."""
    found = {
        str(one["Name"]).rstrip("."): str(one["Id"])
        for one in live.client("route53").pages("list_hosted_zones", "HostedZones")
        if not one.get("Config", {}).get("PrivateZone")
    }
    labels = domain.split(".")
    names = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((found[name] for name in names if name in found), "")


def write(zone_id: str, wanted: Sequence[Record], live: Live) -> None:
    """Make or mend them; hints only where there is nothing yet. May be called twice."""
    there = _there(zone_id, live)
    changes = [_change(one) for one in wanted if not _settled(one, there)]
    if changes:
        live.client("route53").change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
        )


def _there(zone_id: str, live: Live) -> dict[tuple[str, str], list[str]]:
    """(name, type) -> values of each record of a zone."""
    found = live.client("route53").pages(
        "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id
    )
    return {
        (str(one["Name"]).rstrip("."), str(one["Type"])): [
            str(each["Value"]).rstrip(".") for each in one.get("ResourceRecords", ())
        ]
        for one in found
    }


def _settled(one: Record, there: dict[tuple[str, str], list[str]]) -> bool:
    found = there.get((one.name, one.type))
    return found is not None and (one.hint or found == [one.value])


def _change(one: Record) -> dict[str, object]:
    return {
        "Action": "UPSERT",
        "ResourceRecordSet": {
            "Name": one.name,
            "Type": one.type,
            "TTL": TTL_S,
            "ResourceRecords": [{"Value": one.value}],
        },
    }
