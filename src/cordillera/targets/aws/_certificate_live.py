"""A certificate while it is being made: the DNS records that prove whose the domains are.

ACM waits for them, and CloudFormation for ACM (12 hours). Where the account has the zone they are written;
where it has not, whoever waits is told what to write.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.aws import _dns
from cordillera.targets.aws._dns import Record
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref

PENDING = "PENDING_VALIDATION"
KEYS = {"keyTypes": ["EC_prime256v1"]}
"""ACM lists RSA's certificates only, unless it is asked for others."""


def settle(certificate: Ref, domain: str, live: Live) -> str:
    """Write the records that are missing, and say what is waited for: the first line tells all, those
    below tell each record in pieces. Empty when nothing is. May be called again and again; never raises."""
    region = live.site.region_of(certificate.unit)
    try:
        wanted = _pending(certificate, domain, live.client("acm", region), live)
    except NotReady:
        return ""  # there is no certificate yet, or AWS asks us to slow down
    except CordilleraError as e:
        return (
            f"{e}: see which DNS record the certificate waits for with "
            f"`aws acm list-certificates --region {region}`, `aws acm describe-certificate`"
        )
    refused = {one: why for one in wanted if (why := _written(one, live)) is not None}
    return _text(domain, wanted, refused)


def records(certificate: Mapping[str, Any]) -> list[Record]:
    """What ACM waits for, each once: a domain and its wildcard are proven by the same record. Pure."""
    found = [
        one["ResourceRecord"]
        for one in certificate.get("DomainValidationOptions", ())
        if one.get("ValidationStatus") == PENDING and "ResourceRecord" in one
    ]
    made = [Record(r["Name"].rstrip("."), r["Type"], r["Value"].rstrip(".")) for r in found]
    return list(dict.fromkeys(made))


def _pending(certificate: Ref, domain: str, acm: Any, live: Live) -> list[Record]:
    """The records of the first certificate that waits for any."""
    for arn in _arns(certificate, domain, acm, live):
        found = records(acm.describe_certificate(CertificateArn=arn)["Certificate"])
        if found:
            return found
    return []


def _arns(certificate: Ref, domain: str, acm: Any, live: Live) -> Iterator[str]:
    """The stack's own; then those that wait for the same domain, as while one replaces another. In an
    account a domain is proven by the same record everywhere."""
    try:
        yield live.physical(certificate)
    except NotReady:
        pass
    finally:
        live.forget()  # it may be there, or another, when we ask again
    found = acm.pages(
        "list_certificates",
        "CertificateSummaryList",
        CertificateStatuses=[PENDING],
        Includes=KEYS,
    )
    yield from (str(one["CertificateArn"]) for one in found if one["DomainName"] == domain)


def _written(one: Record, live: Live) -> str | None:
    """None when it is in the account's own zone; else why not, empty when there is no such zone."""
    try:
        zone = _dns.zone(one.name, live)
        if zone:
            _dns.write(zone, [one], live)
    except NotReady:
        return None  # it is tried again
    except CordilleraError as e:
        return f" (not written into Route 53: {e})"
    return None if zone else ""


def _text(domain: str, wanted: Sequence[Record], refused: Mapping[Record, str]) -> str:
    if not refused:
        return f"waiting for ACM to see in Route 53 whose {domain} is" if wanted else ""
    them = "this record" if len(refused) == 1 else f"these {len(refused)} records"
    told = ", ".join(f"{one}{why}" for one, why in refused.items())
    below = [
        f"  {key:<6}{value}"
        for one in refused
        for key, value in (("name", one.name), ("type", one.type), ("value", one.value))
    ]
    return "\n".join([f"write {them} into your DNS, the certificate waits: {told}", *below])
