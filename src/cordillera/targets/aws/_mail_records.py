"""The DNS records that let receivers trust mail. Pure."""

from collections.abc import Iterable

from cordillera.targets.aws._dns import Record

BOUNCES = "bounce"


def records(domain: str, tokens: Iterable[str], region: str) -> list[Record]:
    """DKIM's keys, where bounces return to, and what receivers should do with forgeries."""
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
