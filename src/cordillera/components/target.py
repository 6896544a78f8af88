"""A target: its engine, its verbs, and one of each component. A missing one does not type-check."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cordillera.components.protocol import Engine, Plan

if TYPE_CHECKING:  # every command reads this file
    from cordillera.components.bill import Details
    from cordillera.components.wanted import Wanted


@dataclass(frozen=True)
class NotOffered:
    """A component that a target does not offer, and what to do instead."""

    why: str


@dataclass(frozen=True)
class Offered:
    """A component that a target offers; `limits` says in one sentence what it is not."""

    limits: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail that was captured instead of sent."""

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    stream: str
    zone: str
    size_bytes: int = 0


@dataclass(frozen=True)
class Finding:
    """One thing that `doctor` looked at. `status`: ok, missing, too old, weaker or failed."""

    name: str
    status: str
    detail: str
    remedy: str
    required: bool


@dataclass(frozen=True)
class CustomerRole:
    """A role in an account of somebody else, who applies `template` once, by the line `apply`.

    `manifest` is what an environment then says of its account.
    """

    template: Mapping[str, Any]
    external_id: str
    apply: str
    manifest: str


@dataclass(frozen=True)
class Drift:
    """Something that is no longer as it was applied. `what` names the settings, wanted and found."""

    unit: str
    name: str
    kind: str
    what: str


class Loss(StrEnum):
    """How a zone is lost in a rehearsal."""

    KILLED = "killed"
    """kill -9 of everything in it, at once."""
    FROZEN = "frozen"
    """SIGSTOP of everything in it: ports stay open, nobody answers."""
    PARTITIONED = "partitioned"
    """Cut off in the network, and running on."""


class TargetEngine(Engine, Protocol):
    """An engine that can tell more of a plan, and wants to be told when it is about to be carried out."""

    def open(self, plan: Plan) -> Sequence[str]:
        """Take what the plan needs; sentences that whoever waits should know.

        Raises Refused when the world moved since it was made, or when it cannot succeed.
        """
        ...

    def details(self, plan: Plan) -> "Details":
        """What the planned environment consists of, costs and needs, where that can be told. Asks nobody."""
        ...


class Verbs(Protocol):
    """What may be asked of a running environment besides the engine's verbs."""

    def environments(self) -> Sequence[str]:
        """Names of the environments that exist here."""
        ...

    def introduce(self, want: "Wanted") -> None:
        """Hear of an environment that this machine does not know: others may have made it."""
        ...

    def remember(self, want: "Wanted") -> None:
        """Keep who asked, from which folder, and whether it is for rehearsals, after an `up` that changed
        nothing. May be called twice."""
        ...

    def folder_of(self, environment: str) -> Path:
        """The app's folder at the last `up`."""
        ...

    def logs(
        self,
        environment: str,
        service: str,
        *,
        since: datetime | None,
        tail: int | None,
        follow: bool,
    ) -> Iterator[str]:
        """Lines of one service or of all (empty name), copy by copy the last `tail` of those printed since
        then; None is no limit. `follow` goes on for ever. Raises CordilleraError for an unknown service."""
        ...

    def run(self, environment: str, service: str, argv: Sequence[str], *, zone: str) -> int:
        """Run a command as that service would, on our terminal; its exit status."""
        ...

    def variables(self, environment: str, service: str, *, reveal: bool) -> dict[str, str]:
        """What the service receives; secrets masked unless `reveal`."""
        ...

    def mails(self, environment: str) -> Sequence[Mail]:
        """Captured mails, newest first."""
        ...

    def mail_text(self, environment: str, mail: str) -> str:
        """One captured mail as it was received. Raises CordilleraError for an unknown id."""
        ...

    def secrets(self, environment: str) -> Sequence[str]:
        """Names of the secrets somebody chose."""
        ...

    def set_secret(self, environment: str, name: str, value: str) -> None:
        """Seal a secret; takes effect at the next `up`."""
        ...

    def drop_secret(self, environment: str, name: str) -> bool:
        """Forget a secret; False when there was none."""
        ...

    def reveal_secret(self, environment: str, name: str) -> str:
        """A secret's value, chosen or generated."""
        ...

    def rotate_secret(self, environment: str, resource: str) -> None:
        """A new password for the app's user of a resource, while copies that run go on with the one before;
        the next `up` hands it to them. Killed anywhere, it goes on when it is called again.

        The one before is refused from the next rotation on. Raises Refused while a copy still has the
        password before that, NotReady while such copies are ending, ManifestError for an unknown resource.
        """
        ...

    def certificate_file(self, environment: str) -> Path | None:
        """The certificate of the authority that signs the environment's own; None if all trust it."""
        ...

    def again(self, environment: str) -> "Wanted":
        """What was asked for at the last `up`, releases included: to bring it back as it was."""
        ...

    def was_stopped(self, environment: str) -> bool:
        """Whether somebody asked for it to be down."""
        ...

    def lose(self, environment: str, zone: str, how: Loss) -> None:
        """Lose a zone now, to rehearse it. May be called twice. Raises CordilleraError."""
        ...

    def restore(self, environment: str, zone: str) -> None:
        """Have a lost zone back, however it was lost. May be called twice."""
        ...

    def doctor(self) -> Sequence[Finding]:
        """What this machine has and lacks for the target."""
        ...

    def eject(self, want: "Wanted", folder: Path) -> Sequence[Path]:
        """Write what would be made as files for the cloud's own tools. Asks nobody."""
        ...

    def drift(self, environment: str) -> Sequence[Drift]:
        """What somebody changed by hand, past Cordillera. May take minutes. Raises CordilleraError."""
        ...

    def permissions(self) -> Sequence[Mapping[str, Any]]:
        """What Cordillera itself must be allowed there, as policies of the target's own. Asks nobody."""
        ...

    def customer_role(self, trust: str, external_id: str | None, name: str) -> CustomerRole:
        """A role called `name` in somebody else's account, which `trust` takes on. Without an external id
        one is made. Asks nobody. Raises ManifestError for words that cannot be."""
        ...

    def outliving(self, environment: str) -> Sequence[str]:
        """Names of the chosen secrets that `destroy` leaves where they are."""
        ...

    def busy(self, environment: str) -> Path:
        """The lock file that one changing command holds at a time."""
        ...


@dataclass(frozen=True, kw_only=True)
class Target:
    """Everything a target is. `engine` takes the published address asked for, or an empty string."""

    name: str
    engine: Callable[[str], TargetEngine]
    verbs: Verbs
    network: Offered | NotOffered
    balancer: Offered | NotOffered
    firewall: Offered | NotOffered
    cdn: Offered | NotOffered
    certificate: Offered | NotOffered
    secrets: Offered | NotOffered
    service: Offered | NotOffered
    database: Offered | NotOffered
    cache: Offered | NotOffered
    search: Offered | NotOffered
    objects: Offered | NotOffered
    queue: Offered | NotOffered
    mail: Offered | NotOffered
    monitoring: Offered | NotOffered
    threats: Offered | NotOffered
    backup: Offered | NotOffered

    def support(self) -> dict[str, Offered | NotOffered]:
        """Component -> what this target offers of it."""
        names = [f.name for f in fields(self) if f.name not in ("name", "engine", "verbs")]
        return {name: getattr(self, name) for name in names}
