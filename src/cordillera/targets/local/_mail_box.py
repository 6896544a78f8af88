"""Reading the mails that were captured, in whichever zone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cordillera.components.target import Mail
from cordillera.core.errors import ManifestError
from cordillera.targets.local._site import Site, Zone

CAPTURED = "mail-captured"
SHORT_HEADER_BYTES = 64 << 10


def list_mails(site: Site) -> list[Mail]:
    """Every captured mail, newest first."""
    found = [_mail(path, zone) for zone in site.zones for path in _paths(zone)]
    return sorted(found, key=lambda m: m.at, reverse=True)


def read_mail(site: Site, mail: str) -> str:
    """One mail as it was received. Raises ManifestError when there is none of that id."""
    for zone in site.zones:
        path = zone.state / CAPTURED / f"{mail}.eml"
        if mail.isalnum() and path.exists():
            return path.read_text(errors="replace")
    raise ManifestError(f"no mail {mail} in {site.environment}", hint="see `cordillera mail`")


def _paths(zone: Zone) -> Iterator[Path]:
    return (zone.state / CAPTURED).glob("*.json")


def _mail(path: Path, zone: Zone) -> Mail:
    from email import message_from_bytes
    from email.policy import default

    facts, body = json.loads(path.read_text()), path.with_suffix(".eml")
    with body.open("rb") as file:
        headers = message_from_bytes(file.read(SHORT_HEADER_BYTES), policy=default)
    return Mail(
        id=path.stem,
        at=datetime.fromtimestamp(facts["at"], UTC),
        sender=facts["from"],
        recipients=tuple(facts["to"]),
        subject=str(headers["Subject"] or ""),
        stream=str(headers["X-Cordillera-Stream"] or "transactional").strip(),
        zone=zone.name,
        size_bytes=body.stat().st_size,
    )
