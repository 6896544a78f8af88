"""What Postfix is told on this machine: a queue that only sends on, by stream and provider."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cordillera.components import mail_queue
from cordillera.components.mail import MailSpec, ProviderSpec
from cordillera.targets.local._site import Site, Zone

POSTFIX_PORT, ENDPOINT_PORT, CAPTURE_PORT, FIRST_RATE_PORT = 2525, 2526, 2527, 2530


@dataclass(frozen=True)
class Hop:
    """Where mails of one stream go on: a server, and the port of the zone's proxy that paces them.

    `rate` is mails a second; below one a second Postfix itself waits (`delay_s`).
    """

    stream: str
    provider: ProviderSpec
    host: str
    port: int
    paced_port: int = 0
    rate: int = 0

    @property
    def next_hop(self) -> str:
        """As Postfix writes it."""
        if self.paced_port:
            return f"[{{private}}]:{self.paced_port}"
        return f"[{self.host}]:{self.port}"


def hops(spec: MailSpec, *, captured: bool) -> list[Hop]:
    """Every stream's way out, providers in order. Raises ManifestError for an unknown provider."""
    providers = [ProviderSpec(name="capture", host="{private}", port=CAPTURE_PORT, tls=False)]
    if not captured:
        providers = list(spec.providers)
    made: list[Hop] = []
    for stream in mail_queue.STREAMS:
        rate = mail_queue.stream(spec, stream).rate or 0.0
        for provider in providers:
            host = mail_queue.host(provider)
            paced = FIRST_RATE_PORT + len(made) if rate >= 1 else 0
            made.append(
                Hop(stream, provider, host, provider.port, paced, round(rate) if paced else 0)
            )
    return made


def files(spec: MailSpec, site: Site, zone: Zone, ways: Sequence[Hop]) -> dict[str, str]:
    """Postfix's own folder of settings, under the zone's run folder."""
    first, second = (
        [w.next_hop for w in ways if w.stream == stream] for stream in mail_queue.STREAMS
    )
    place = mail_queue.Place(
        queue="{data}/queue",
        lib="{data}/lib",
        settings="{run}/postfix",
        host=f"{zone.name}.{site.environment.replace('/', '-')}.internal",
        interfaces="{private}",
        listen="{private}",
        port=POSTFIX_PORT,
        networks=" ".join(["127.0.0.1", *(f"{z.private}/32" for z in site.zones)]),
    )
    return {
        "postfix/main.cf": mail_queue.main(place, spec, first),
        "postfix/master.cf": mail_queue.master(place, second),
        "postfix/header_checks": mail_queue.header_checks(second),
        "postfix/passwords": "".join(_passwords(ways)),
        "postfix/tls": "".join(
            mail_queue.tls_policy(w.next_hop, w.host, tls=w.provider.tls) for w in ways
        ),
    }


def _passwords(ways: Sequence[Hop]) -> Iterator[str]:
    for way in ways:
        user = mail_queue.user(way.provider)
        if user and way.provider.password:
            yield f"{way.next_hop} {user}:${{secret:app/{way.provider.password}}}\n"
