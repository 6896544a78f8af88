"""What may be asked of a running environment of the target `local`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cordillera.components.target import CustomerRole, Drift, Finding, Loss, Mail
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, ManifestError
from cordillera.targets.local import _intent, _loss, _once, _zone, mail, service
from cordillera.targets.local._parts import SECRET
from cordillera.targets.local._site import Site, Zone, roots

FOLLOW_EVERY_S = 0.3
MASK = "********"


class LocalVerbs:
    """Verbs on environments of this machine. All raise ManifestError for an unknown one."""

    def environments(self) -> Sequence[str]:
        return _intent.environments()

    def introduce(self, want: Wanted) -> None:
        """What is not on this machine is not there."""

    def remember(self, want: Wanted) -> None:
        was = _known(want.environment)[0]
        _intent.save_wanted(
            replace(was, folder=want.folder, asked_by=want.asked_by, rehearsal=want.rehearsal)
        )

    def folder_of(self, environment: str) -> Path:
        return _known(environment)[0].folder

    def logs(
        self,
        environment: str,
        service: str,
        *,
        since: datetime | None,
        tail: int | None,
        follow: bool,
    ) -> Iterator[str]:
        want, site = _known(environment)
        if service and service not in want.services and not _log_files(site, [service]):
            raise ManifestError(
                f"{environment} has no service called {service}",
                hint=f"one of: {', '.join(want.services)}",
            )
        names = [service] if service else list(want.services)
        ends = {path: path.stat().st_size for _, path in _log_files(site, names)}
        yield from _printed_so_far(_log_files(site, names), ends, since, tail)
        if follow:
            yield from _follow(site, names, ends)

    def run(self, environment: str, service: str, argv: Sequence[str], *, zone: str) -> int:
        want, site = _with_service(environment, service)
        return _once.attached(service, argv, want, site, site.zone(zone or site.zones[0].name))

    def variables(self, environment: str, name: str, *, reveal: bool) -> dict[str, str]:
        want, site = _with_service(environment, name)
        zone = site.zones[0]
        raw = service.environment(name, want, site, zone, want.releases[name])
        shown = site.vault.get if reveal else lambda _: MASK
        return {key: SECRET.sub(lambda m: shown(m[1]), value) for key, value in raw.items()}

    def mails(self, environment: str) -> Sequence[Mail]:
        return mail.list_mails(_known(environment)[1])

    def mail_text(self, environment: str, mail_id: str) -> str:
        return mail.read_mail(_known(environment)[1], mail_id)

    def secrets(self, environment: str) -> Sequence[str]:
        vault = _site(environment).vault
        return [name.removeprefix("app/") for name in vault.chosen() if name.startswith("app/")]

    def set_secret(self, environment: str, name: str, value: str) -> None:
        site = _site(environment)
        site.state.mkdir(parents=True, exist_ok=True)
        site.vault.create()
        site.vault.put(f"app/{name}", value)

    def drop_secret(self, environment: str, name: str) -> bool:
        return _site(environment).vault.drop(f"app/{name}")

    def reveal_secret(self, environment: str, name: str) -> str:
        want, site = _known(environment)
        used = {secret.name for spec in want.services.values() for secret in spec.secrets}
        if name not in used and f"app/{name}" not in site.vault.chosen():
            raise ManifestError(
                f"{environment} has no secret called {name}",
                hint=f"one of: {', '.join(sorted(used)) or 'no service asks for any'}",
            )
        return site.vault.get(f"app/{name}")

    def rotate_secret(self, environment: str, resource: str) -> None:
        raise CordilleraError(
            "rotating a password is not offered on local: all are derived from the environment's key",
            hint="a new key is made by `cordillera destroy` and `up`; save the data before",
        )

    def certificate_file(self, environment: str) -> Path:
        return _known(environment)[1].state / _zone.CA_FILE

    def again(self, environment: str) -> Wanted:
        return _known(environment)[0]

    def was_stopped(self, environment: str) -> bool:
        intent = _intent.load(environment)
        return intent is None or intent.stopped

    def lose(self, environment: str, zone: str, how: Loss) -> None:
        site = _known(environment)[1]
        _loss.lose(site, _domain(site, zone), how)

    def restore(self, environment: str, zone: str) -> None:
        site = _known(environment)[1]
        _loss.restore(site, _domain(site, zone))

    def doctor(self) -> Sequence[Finding]:
        from cordillera.targets.local import _doctor

        return _doctor.findings()

    def eject(self, want: Wanted, folder: Path) -> Sequence[Path]:
        raise CordilleraError(
            "`eject` is not offered on local: its processes are nobody else's format",
            hint="eject an environment of the target aws",
        )

    def drift(self, environment: str) -> Sequence[Drift]:
        return ()  # every probe compares with what was applied already

    def permissions(self) -> Sequence[Mapping[str, Any]]:
        raise CordilleraError("`local` needs no permissions but this machine's own")

    def customer_role(self, trust: str, external_id: str | None, name: str) -> CustomerRole:
        raise CordilleraError("`local` has no accounts that a role could be in")

    def outliving(self, environment: str) -> Sequence[str]:
        return ()

    def busy(self, environment: str) -> Path:
        return roots()[0] / "locks" / f"{environment.replace('/', '+')}.lock"


def _domain(site: Site, name: str) -> Zone:
    names = [zone.name for zone in site.domains]
    if name not in names:
        raise ManifestError(
            f"{site.environment} has no zone called {name}", hint=f"one of: {', '.join(names)}"
        )
    return site.zone(name)


def _site(environment: str) -> Site:
    """Also of an environment that is not up yet: its secrets may be set before."""
    intent = _intent.load(environment)
    if intent is not None:
        return _intent.site_of(intent)
    blank = _intent.Intent(environment, 0, "loopback", "")
    return replace(_intent.site_of(blank), state=_intent.folder(environment))


def _known(environment: str) -> tuple[Wanted, Site]:
    intent, want = _intent.load(environment), _intent.load_wanted(environment)
    if intent is None or want is None:
        raise ManifestError(
            f"no environment called {environment} on this machine",
            hint=f"one of: {', '.join(_intent.environments()) or 'none is up yet: cordillera up'}",
        )
    return want, _intent.site_of(intent)


def _with_service(environment: str, name: str) -> tuple[Wanted, Site]:
    want, site = _known(environment)
    if name not in want.services:
        raise ManifestError(
            f"{environment} has no service called {name}",
            hint=f"one of: {', '.join(want.services)}",
        )
    return want, site


def _log_files(site: Site, names: list[str]) -> list[tuple[str, Path]]:
    found = [
        (f"{name}@{zone.name}", zone.state / "logs" / f"{name}.log")
        for zone in (*site.domains, site.front)
        for name in names
    ]
    found += [(f"{name} release", site.state / "logs" / f"release-{name}.log") for name in names]
    return [(label, path) for label, path in found if path.exists()]


def _printed_so_far(
    found: list[tuple[str, Path]],
    ends: Mapping[Path, int],
    since: datetime | None,
    tail: int | None,
) -> Iterator[str]:
    from cordillera.targets.local import _printed

    at = since.timestamp() if since else None
    for label, path in found:
        lines = _printed.lines(path, since=at, tail=tail, end=ends.get(path, 0))
        yield from (f"{label} | {line}" for line in lines)


def _follow(site: Site, names: list[str], places: dict[Path, int]) -> Iterator[str]:
    """New lines for ever, from those places on; files that appear later are followed too."""
    while True:
        for label, path in _log_files(site, names):
            start, end = places.get(path, 0), path.stat().st_size
            start = 0 if end < start else start
            with path.open("rb") as file:
                file.seek(start)
                chunk = file.read()
            whole = chunk[: chunk.rfind(b"\n") + 1]
            places[path] = start + len(whole)
            yield from (f"{label} | {line}" for line in whole.decode(errors="replace").splitlines())
        time.sleep(FOLLOW_EVERY_S)
