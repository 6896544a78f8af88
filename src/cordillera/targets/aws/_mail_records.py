"""The DNS records that let receivers trust mail, and their way into Route 53 where the zone is there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cordillera.targets.aws._live import Live

TTL_S = 1800
BOUNCES = "bounce"


@dataclass(frozen=True)
class Record:
    """One record; `hint` means that an existing one of that name is left as it is."""

    name: str
    type: str
    value: str
    hint: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.value}"


def records(domain: str, tokens: Iterable[str], region: str) -> list[Record]:
    """DKIM's keys, where bounces return to, and what receivers should do with forgeries. Pure."""
    keys = [
        Record(f"{token}._domainkey.{domain}", "CNAME", f"{token}.dkim.amazonses.com")
        for token in tokens
    ]
    return [
        *keys,
        Record(f"{BOUNCES}.{domain}", "MX", f"10 feedback-smtp.{region}.amazonses.com"),
        Record(f"{BOUNCES}.{domain}", "TXT", '"v=spf1 include:amazonses.com ~all"'),
        Record(f"_dmarc.{domain}", "TXT", '"v=DMARC1; p=none"', hint=True),
    ]


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
    dns = live.client("route53")
    there = {
        (str(one["Name"]).rstrip("."), str(one["Type"]))
        for one in dns.pages(
            "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id
        )
    }
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": one.name,
                "Type": one.type,
                "TTL": TTL_S,
                "ResourceRecords": [{"Value": one.value}],
            },
        }
        for one in wanted
        if not (one.hint and (one.name, one.type) in there)
    ]
    dns.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
