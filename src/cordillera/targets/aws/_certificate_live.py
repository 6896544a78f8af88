"""A certificate while it is being made: the DNS records that prove whose the domains are.

ACM waits for them, and CloudFormation for ACM (12 hours). Where the account has the zone they are written;
where it has not, whoever waits is told what to write.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cordillera.components.protocol import Note, Progress
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.aws import _dns
from cordillera.targets.aws._dns import Record
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref

PENDING = "PENDING_VALIDATION"
WAITS = "the certificate waits for DNS"
KEYS = {"keyTypes": ["EC_prime256v1"]}
"""ACM lists RSA's certificates only, unless it is asked for others."""


def settle(certificate: Ref, domain: str, live: Live) -> Progress | None:
    """Write the records that are missing, and say what is waited for, with a note for each record that
    somebody else must write. None when nothing is. May be called again and again; never raises."""
    region = live.site.region_of(certificate.unit)
    try:
        wanted = _pending(certificate, domain, live.client("acm", region), live)
    except NotReady:
        return None  # there is no certificate yet, or AWS asks us to slow down
    except CordilleraError as e:
        look = f"`aws acm list-certificates --region {region}`, `aws acm describe-certificate`"
        note = Note(f"see which DNS record the certificate waits for with {look} ({e})")
        return Progress(done=False, detail=WAITS, notes=(note,))
    refused = {one: why for one in wanted if (why := _written(one, live)) is not None}
    if refused:
        return Progress(
            done=False, detail=WAITS, notes=tuple(_note(one, why) for one, why in refused.items())
        )
    found = f"waiting for ACM to see in Route 53 whose {domain} is"
    return Progress(done=False, detail=found) if wanted else None


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
        return str(e)
    return None if zone else ""


def _note(one: Record, why: str) -> Note:
    cause = f" (not written into Route 53: {why})" if why else ""
    parts = (("name", one.name), ("type", one.type), ("value", one.value))
    return Note(f"write this record into your DNS, the certificate waits for it{cause}", parts)
