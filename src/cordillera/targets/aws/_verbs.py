"""What may be asked of a running environment of the target `aws`."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn

from cordillera.components.target import CustomerRole, Drift, Finding, Loss, Mail
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError
from cordillera.core.home import roots
from cordillera.targets.aws import (
    _database_rotation,
    _home,
    _images,
    _logs,
    _once,
    _reveal,
    _variables,
    database,
    secrets,
)
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Mixed, Secret
from cordillera.targets.aws._seen import Seen
from cordillera.targets.aws._site import site_of
from cordillera.targets.aws.service import CLUSTER

MASK = "********"
UNKNOWN = "(known when it is up)"
MISSING = "ResourceNotFoundException"


class AwsVerbs:
    """Verbs on environments in AWS. All raise CordilleraError for an unknown one."""

    def environments(self) -> Sequence[str]:
        return _home.environments()

    def introduce(self, want: Wanted) -> None:
        if want.environment not in _home.environments():
            _home.save_wanted(want)

    def remember(self, want: Wanted) -> None:
        _home.save_wanted(want)

    def folder_of(self, environment: str) -> Path:
        return _home.wanted(environment).folder

    def logs(
        self,
        environment: str,
        service: str,
        *,
        since: datetime | None,
        tail: int | None,
        follow: bool,
    ) -> Iterator[str]:
        want = _home.wanted(environment)
        names = [_known(want, service)] if service else list(want.services)
        live, now = Live(site_of(want)), datetime.now(UTC)
        logs = [_logs.Log(one, CLUSTER, live) for one in names]
        seen = Seen(max(since or _logs.EVER, now - _logs.LATE))
        until = now if follow else None
        found = [log.printed(seen, since=since, tail=tail, until=until) for log in logs]
        yield from (line for _, line in heapq.merge(*found, key=itemgetter(0)))
        if follow:
            yield from _logs.follow(logs, seen)

    def run(self, environment: str, service: str, argv: Sequence[str], *, zone: str) -> int:
        want = _home.wanted(environment)
        live = Live(site_of(want))
        _known(want, service)
        code, task = _once.run(service, argv, want, live, by="cordillera-run")
        for line in _logs.of_task(service, task, live, lines=10_000):
            print(line)
        return code

    def variables(self, environment: str, name: str, *, reveal: bool) -> dict[str, str]:
        want = _images.with_releases(_home.wanted(environment))
        _known(want, name)
        values = _variables.variables(name, want, site_of(want))
        if reveal:
            return _reveal.variables(name, values, Live(site_of(want)))
        return {
            key: MASK
            if isinstance(value, Secret | Mixed)
            else value
            if isinstance(value, str)
            else UNKNOWN
            for key, value in values.items()
        }

    def mails(self, environment: str) -> Sequence[Mail]:
        _not_offered("mails are sent, not captured")

    def mail_text(self, environment: str, mail_id: str) -> str:
        _not_offered("mails are sent, not captured")

    def secrets(self, environment: str) -> Sequence[str]:
        prefix = secrets.chosen_name(environment, "")
        manager = Live(site_of(_home.wanted(environment))).client("secretsmanager")
        found = manager.pages(
            "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [prefix]}]
        )
        return sorted(str(one["Name"]).removeprefix(prefix) for one in found)

    def set_secret(self, environment: str, name: str, value: str) -> None:
        want = _home.wanted(environment)
        manager = Live(site_of(want)).client("secretsmanager")
        secret = _place(want, name)
        try:
            manager.put_secret_value(SecretId=secret, SecretString=value)
        except AwsError as e:
            if e.code != MISSING:
                raise
            tags = [{"Key": k, "Value": v} for k, v in site_of(want).tags.items()]
            manager.create_secret(Name=secret, SecretString=value, Tags=tags)

    def drop_secret(self, environment: str, name: str) -> bool:
        manager = Live(site_of(_home.wanted(environment))).client("secretsmanager")
        if name not in self.secrets(environment):
            return False
        secrets.delete(manager, secrets.chosen_name(environment, name))
        return True

    def reveal_secret(self, environment: str, name: str) -> str:
        want = _home.wanted(environment)
        manager = Live(site_of(want)).client("secretsmanager")
        try:
            return str(manager.get_secret_value(SecretId=_place(want, name))["SecretString"])
        except AwsError as e:
            if e.code != MISSING:
                raise
            raise CordilleraError(
                f"{environment} has no secret called {name}", hint="see `cordillera secrets list`"
            ) from e

    def rotate_secret(self, environment: str, resource: str) -> None:
        want = _home.wanted(environment)
        database.refuse_unless_rotated(resource, want)
        _database_rotation.rotate(resource, Live(site_of(want)))

    def certificate_file(self, environment: str) -> Path | None:
        return None

    def again(self, environment: str) -> Wanted:
        return _home.wanted(environment)

    def was_stopped(self, environment: str) -> bool:
        return True  # nothing of it has to be brought back when this machine starts

    def lose(self, environment: str, zone: str, how: Loss) -> None:
        _not_offered("losing a zone is rehearsed on `local` only")

    def restore(self, environment: str, zone: str) -> None:
        _not_offered("losing a zone is rehearsed on `local` only")

    def doctor(self) -> Sequence[Finding]:
        return ()

    def eject(self, want: Wanted, folder: Path) -> Sequence[Path]:
        from cordillera.targets.aws import _eject

        return _eject.write(want, folder)

    def drift(self, environment: str) -> Sequence[Drift]:
        from cordillera.targets.aws import _drift

        return _drift.found(site_of(_home.wanted(environment)))

    def permissions(self) -> Sequence[Mapping[str, Any]]:
        from cordillera.targets.aws import _permissions

        return _permissions.pieces()

    def customer_role(self, trust: str, external_id: str | None, name: str) -> CustomerRole:
        from cordillera.targets.aws import _customer_role

        return _customer_role.customer_role(trust, external_id, name)

    def outliving(self, environment: str) -> Sequence[str]:
        return self.secrets(environment)

    def busy(self, environment: str) -> Path:
        return roots()[0] / "locks" / f"aws+{environment.replace('/', '+')}.lock"


def _not_offered(why: str) -> NoReturn:
    raise CordilleraError(f"not offered on aws: {why}")


def _known(want: Wanted, service: str) -> str:
    if service not in want.services:
        raise CordilleraError(
            f"{want.environment} has no service called {service}",
            hint=f"one of: {', '.join(want.services)}",
        )
    return service


def _place(want: Wanted, name: str) -> str:
    """Where a secret lies: one that makes itself has its own place as soon as it is there."""
    chosen = secrets.chosen_name(want.environment, name)
    if name not in secrets.generated(want):
        return chosen
    try:
        return Live(site_of(want)).physical(secrets.generated_ref(name))
    except CordilleraError:
        return chosen
