"""Mail on one machine: a Postfix queue in each zone, providers in order, or a server that captures."""

import sys
from collections.abc import Mapping, Sequence

from cordillera.components.base import variable_prefix
from cordillera.components.mail import MailSpec
from cordillera.components.state import Member, ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core import process
from cordillera.core.errors import Refused
from cordillera.targets.local import _mail_capture, _net, programs
from cordillera.targets.local import _mail_config as config
from cordillera.targets.local._component import Component
from cordillera.targets.local._mail_box import CAPTURED, list_mails, read_mail
from cordillera.targets.local._parts import Endpoint, LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone

OFFER = Offered("captured, unless providers are named")

__all__ = ["Mail", "list_mails", "read_mail"]

QUEUE = "mail-queue"


class Mail(Component):
    """One way out per environment; every zone queues for itself."""

    name = "mail"

    def parts(self, want: Wanted, site: Site) -> Parts:
        spec = _spec(want)
        if spec is None:
            return ()
        _refuse_what_needs_root(spec)
        capture = [_capture(site, zone) for zone in site.zones] if spec.capture else []
        queues = [_postfix(spec, site, zone) for zone in site.zones] if process.is_root() else []
        return (*capture, *queues)

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        spec = _spec(want)
        if spec is None:
            return ()
        port = config.POSTFIX_PORT if process.is_root() else config.CAPTURE_PORT

        def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
            return [(z.name, z.private, port) for z in (zone, *site.others(zone))]

        check = ("option smtpchk HELO proxy.internal", "default-server inter 5s fastinter 500ms")
        entrance = Endpoint("mail", config.ENDPOINT_PORT, servers, check)
        ways = config.hops(spec, captured=spec.capture) if process.is_root() else []
        return (entrance, *(_pace(way) for way in ways if way.paced_port))

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        spec = _spec(want)
        domain = (want.edge.domains or [f"{want.app}.localhost"])[0]
        return {
            "host": zone.private,
            "port": str(config.ENDPOINT_PORT),
            "from": (spec.from_ if spec else None) or f"noreply@{domain}",
        }

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        fields, prefix = self.fields(want, site, resource, zone), variable_prefix(resource)
        url = f"smtp://{fields['host']}:{fields['port']}"
        return {
            f"{prefix}_URL": url, f"{prefix}_FROM": fields["from"], "SMTP_URL": url,
            "SMTP_HOST": fields["host"], "SMTP_PORT": fields["port"],
        }  # fmt: skip

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        spec = _spec(want)
        if spec is None:
            return {}
        members = tuple(_net.at_once(site.zones, lambda zone: _member(site, zone)))
        silent = [m.zone for m in members if not m.healthy]
        trouble = _net.no_answer(silent)
        way = "captured, none is sent" if spec.capture else "sent on"
        state = ResourceState(
            type="mail",
            healthy=not trouble,
            durable=False,
            endpoint=f"{site.zones[0].private}:{config.ENDPOINT_PORT}",
            members=members,
            detail=trouble or f"{way}; a waiting mail lies in the zone that took it",
        )
        return {name: state for name, _ in want.of_type("mail")}


def _spec(want: Wanted) -> MailSpec | None:
    found = [spec for _, spec in want.of_type("mail") if isinstance(spec, MailSpec)]
    if len(found) > 1:
        raise Refused(
            "two mail resources are asked for, and `local` offers one per environment yet",
            hint="let the services share one; streams keep mass mail apart",
        )
    return found[0] if found else None


def _refuse_what_needs_root(spec: MailSpec) -> None:
    if not spec.capture and not spec.providers:
        raise Refused(
            "mail has `capture: false` and no provider to send by",
            hint="name one: `providers: [ses]`",
        )
    if not spec.capture and not process.is_root():
        raise Refused(
            "without root there is no Postfix, and mails can only be captured",
            hint="run as root, or leave `capture: true`",
        )


def _capture(site: Site, zone: Zone) -> LocalPart:
    argv = (sys.executable, "-I", _mail_capture.__file__, "{private}", str(config.CAPTURE_PORT))
    body = Process(
        argv=(*argv, "{data}"),
        zone=zone.name,
        user="mail",
        data=CAPTURED,
        ready=Ready("tcp", port=config.CAPTURE_PORT),
        stop_grace_s=2.0,
    )
    name = f"capture@{zone.name}"
    return part("mail", name, f"mail/{zone.name}", body, site.vault.digest, holds_data=True)


def _postfix(spec: MailSpec, site: Site, zone: Zone) -> LocalPart:
    ways = config.hops(spec, captured=spec.capture)
    body = Process(
        argv=(programs.path("postfix"), "-c", "{run}/postfix", "start-fg"),
        zone=zone.name,
        user="root",
        files=config.files(spec, site, zone, ways),
        prepare=(
            ("install", "-d", "-m", "755", "{data}/queue"),
            ("install", "-d", "-m", "700", "-o", "postfix", "-g", "postfix", "{data}/lib"),
            ("rm", "-f", "{data}/queue/pid/master.pid", "{data}/lib/master.lock"),
        ),
        data=QUEUE,
        ready=Ready("tcp", port=config.POSTFIX_PORT),
        stop_grace_s=10.0,
    )
    name = f"postfix@{zone.name}"
    return part("mail", name, f"mail/{zone.name}", body, site.vault.digest, holds_data=True)


def _pace(way: config.Hop) -> Endpoint:
    """Where a stream's mails are let through at its rate; the others wait in the backlog."""

    def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
        return [("next", way.host.replace("{private}", zone.private), way.port)]

    name = f"mail-{way.stream}-{way.provider.name}"
    return Endpoint(
        name,
        way.paced_port,
        servers,
        options=(f"rate-limit sessions {way.rate}", "default-server no-check"),
    )


def _member(site: Site, zone: Zone) -> Member:
    port = config.POSTFIX_PORT if process.is_root() else config.CAPTURE_PORT
    waiting = sum(
        1
        for kind in ("incoming", "active", "deferred")
        for path in (zone.state / QUEUE / "queue" / kind).rglob("*")
        if path.is_file()
    )
    detail = f"{waiting} waiting" if waiting else ""
    try:
        with _net.dial(site, zone, zone.private, port, timeout_s=_net.PROBE_TIMEOUT_S) as link:
            healthy = link.recv(3) == b"220"
            link.sendall(b"QUIT\r\n")
    except OSError as e:
        return Member(zone.name, "queue", healthy=False, detail=f"no answer ({e})")
    return Member(zone.name, "queue", healthy, detail=detail)
