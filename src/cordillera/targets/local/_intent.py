"""What Cordillera itself remembers of an environment: ownership, ports, releases. The rest is asked.

`intent.json` is replaced whole and synced before and after each unit, so that a kill at any moment
leaves either the old or the new one.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from cordillera.components.wanted import Wanted
from cordillera.core import files
from cordillera.core.errors import CordilleraError
from cordillera.core.vault import Vault
from cordillera.targets.local._parts import LocalPart, shape
from cordillera.targets.local._site import Isolation, Site, roots

FORMAT = 2
"""2: programs have users of their own and zones a root of their own."""


@dataclass(frozen=True)
class Owned:
    """A part that we made: enough to tell a change, and to remove it without its builder."""

    component: str
    name: str
    unit: str
    digest: str
    holds_data: bool
    zone: str = ""
    data: str = ""
    shape: str = ""


@dataclass(frozen=True)
class Intent:
    """One environment's memory."""

    environment: str
    number: int
    isolation: str
    listen: str
    revision: int = 0
    parts: Mapping[str, Owned] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)
    changed: str = ""
    stopped: bool = False
    format: int = FORMAT

    def with_part(self, part: LocalPart) -> "Intent":
        """The same, owning `part` as it is now."""
        body = part.body
        owned = Owned(
            part.component,
            part.name,
            part.unit,
            part.digest,
            part.holds_data,
            getattr(body, "zone", ""),
            getattr(body, "data", ""),
            shape(body),
        )
        return replace(self, parts={**self.parts, part.key: owned}, revision=self.revision + 1)

    def without_part(self, key: str) -> "Intent":
        """The same, no longer owning `key`."""
        rest = {k: v for k, v in self.parts.items() if k != key}
        return replace(self, parts=rest, revision=self.revision + 1)


def folder(environment: str) -> Path:
    """Where an environment's state lies."""
    return roots()[0] / environment


def load(environment: str) -> Intent | None:
    """The environment's memory; None when it was never made. Raises CordilleraError if unreadable."""
    path = folder(environment) / "intent.json"
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text())
        raw["parts"] = {key: Owned(**value) for key, value in raw["parts"].items()}
        return Intent(**raw)
    except (ValueError, KeyError, TypeError) as e:
        raise CordilleraError(
            f"{environment}: its memory is unreadable ({e})",
            hint=f"restore {path} from a backup, or move it away and run `cordillera up` to adopt what runs",
        ) from e


def save(intent: Intent) -> None:
    """Replace the memory durably. Raises OSError when the disk is full: nothing is lost then."""
    files.write_json(folder(intent.environment) / "intent.json", asdict(intent))


def save_wanted(want: Wanted) -> None:
    """Keep what was asked for, so that `status` works from any folder."""
    from pydantic import TypeAdapter

    text = TypeAdapter(Wanted).dump_json(want, by_alias=True).decode()
    files.write(folder(want.environment) / "wanted.json", text, mode=0o600)


def load_wanted(environment: str) -> Wanted | None:
    """What was asked for at the last `up`; None when there was none."""
    from pydantic import TypeAdapter

    path = folder(environment) / "wanted.json"
    return TypeAdapter(Wanted).validate_json(path.read_text()) if path.exists() else None


def environments() -> list[str]:
    """Names of the environments on this machine, sorted."""
    found = []
    for customer in _folders(roots()[0]):
        for stage in _folders(customer):
            if (stage / "intent.json").exists():
                found.append(f"{customer.name}/{stage.name}")
    return sorted(found)


def _folders(parent: Path) -> list[Path]:
    """Those that are not hidden; none when `parent` has just been removed."""
    try:
        return [p for p in parent.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError:
        return []


def site_of(intent: Intent, zone_names: tuple[str, ...] = ("a", "b")) -> Site:
    """Where that environment lives."""
    state, run = roots()
    return Site(
        environment=intent.environment,
        number=intent.number,
        isolation=Isolation(intent.isolation),
        state=state / intent.environment,
        run=run / str(intent.number),
        vault=Vault(state / intent.environment),
        zone_names=zone_names,
        ports=intent.ports,
        listen=intent.listen,
        users=intent.users,
    )


def owner() -> str:
    """Who holds a lock: user, host and command, for people."""
    return f"{os.environ.get('SUDO_USER') or os.environ.get('USER') or os.getuid()} on {os.uname().nodename}"
