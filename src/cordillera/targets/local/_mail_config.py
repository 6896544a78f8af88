"""What Postfix is told on this machine: a queue that only sends on, by stream and provider."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cordillera.components import mail_queue
from cordillera.components.mail import MailSpec, ProviderSpec
from cordillera.targets.local._site import Site, Zone

POSTFIX_PORT, ENDPOINT_PORT, CAPTURE_PORT, FIRST_RATE_PORT = 2525, 2526, 2527, 2530

HERE = """\
queue_directory = {{data}}/queue
data_directory = {{data}}/lib
myhostname = {host}
inet_interfaces = {{private}}
mynetworks = {networks}
header_checks = regexp:{{run}}/postfix/header_checks
smtp_sasl_password_maps = texthash:{{run}}/postfix/passwords
smtp_tls_policy_maps = texthash:{{run}}/postfix/tls
smtp_destination_rate_delay = {transactional_delay}s
bulk_destination_rate_delay = {bulk_delay}s
relayhost = {relay}
smtp_fallback_relay = {fallback}
"""


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
    main = HERE.format(
        host=f"{zone.name}.{site.environment.replace('/', '-')}.internal",
        networks=" ".join(["127.0.0.1", *(f"{z.private}/32" for z in site.zones)]),
        relay=first[0],
        fallback=" ".join(first[1:]),
        transactional_delay=mail_queue.delay_s(spec.streams.transactional),
        bulk_delay=mail_queue.delay_s(spec.streams.bulk),
    )
    return {
        "postfix/main.cf": mail_queue.MAIN + main,
        "postfix/master.cf": mail_queue.MASTER.format(
            listen="{private}", port=POSTFIX_PORT, bulk_fallback=",".join(second[1:])
        ),
        "postfix/header_checks": f"{mail_queue.BULK_HEADER} FILTER bulk:{second[0]}\n",
        "postfix/passwords": "".join(_passwords(ways)),
        "postfix/tls": "".join(_policies(ways)),
    }


def _passwords(ways: Sequence[Hop]) -> Iterator[str]:
    for way in ways:
        user = mail_queue.user(way.provider)
        if user and way.provider.password:
            yield f"{way.next_hop} {user}:${{secret:app/{way.provider.password}}}\n"


def _policies(ways: Sequence[Hop]) -> Iterator[str]:
    for way in ways:
        level = f"secure match={way.host}" if way.provider.tls else "none"
        yield f"{way.next_hop} {level}\n"
