"""What Postfix is told on this machine: a queue that only sends on, by stream and provider."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cordillera.components.mail import MailSpec, ProviderSpec, StreamSpec
from cordillera.core.errors import ManifestError
from cordillera.targets.local._site import Site, Zone

POSTFIX_PORT, ENDPOINT_PORT, CAPTURE_PORT, FIRST_RATE_PORT = 2525, 2526, 2527, 2530
STREAMS = ("transactional", "bulk")
KNOWN = {
    "ses": ("email-smtp.us-east-1.amazonaws.com", None),
    "sendgrid": ("smtp.sendgrid.net", "apikey"),
}
"""Provider -> its SMTP server and, where it is always the same, the user."""

MAIN = """\
compatibility_level = 3.6
queue_directory = {{data}}/queue
data_directory = {{data}}/lib
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = {host}
mydestination =
alias_maps =
local_transport = error:nobody reads mail here
inet_interfaces = {{private}}
inet_protocols = ipv4
mynetworks = {networks}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
message_size_limit = 26214400
mailbox_size_limit = 0
header_checks = regexp:{{run}}/postfix/header_checks
notify_classes =
bounce_queue_lifetime = 1d
maximal_queue_lifetime = 5d
minimal_backoff_time = 30s
maximal_backoff_time = 15m
queue_run_delay = 15s
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:{{run}}/postfix/passwords
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = may
smtp_tls_policy_maps = texthash:{{run}}/postfix/tls
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_connection_cache_on_demand = no
smtp_destination_recipient_limit = 1
bulk_destination_recipient_limit = 1
smtp_connect_timeout = 10s
smtp_host_lookup = native
smtp_destination_rate_delay = {transactional_delay}s
bulk_destination_rate_delay = {bulk_delay}s
bulk_destination_concurrency_failed_cohort_limit = 100
smtp_destination_concurrency_failed_cohort_limit = 100
relayhost = {relay}
smtp_fallback_relay = {fallback}
"""

MASTER = """\
{{private}}:2525 inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - 20 smtp
bulk      unix  - - n - 10 smtp
  -o smtp_fallback_relay={bulk_fallback}
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
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
    for stream in STREAMS:
        rate = _stream(spec, stream).rate or 0.0
        for provider in providers:
            host = provider.host or _known_host(provider)
            paced = FIRST_RATE_PORT + len(made) if rate >= 1 else 0
            made.append(
                Hop(stream, provider, host, provider.port, paced, round(rate) if paced else 0)
            )
    return made


def files(spec: MailSpec, site: Site, zone: Zone, ways: Sequence[Hop]) -> dict[str, str]:
    """Postfix's own folder of settings, under the zone's run folder."""
    first, second = ([w.next_hop for w in ways if w.stream == stream] for stream in STREAMS)
    main = MAIN.format(
        host=f"{zone.name}.{site.environment.replace('/', '-')}.internal",
        networks=" ".join(["127.0.0.1", *(f"{z.private}/32" for z in site.zones)]),
        relay=first[0],
        fallback=" ".join(first[1:]),
        transactional_delay=delay_s(spec.streams.transactional),
        bulk_delay=delay_s(spec.streams.bulk),
    )
    return {
        "postfix/main.cf": main,
        "postfix/master.cf": MASTER.format(bulk_fallback=",".join(second[1:])),
        "postfix/header_checks": f"/^X-Cordillera-Stream:[[:space:]]*bulk/ FILTER bulk:{second[0]}\n",
        "postfix/passwords": "".join(_passwords(ways)),
        "postfix/tls": "".join(_policies(ways)),
    }


def delay_s(stream: StreamSpec) -> int:
    """Whole seconds between two mails of a stream that sends less than one a second."""
    return math.ceil(1 / stream.rate) if stream.rate and stream.rate < 1 else 0


def _stream(spec: MailSpec, name: str) -> StreamSpec:
    return spec.streams.bulk if name == "bulk" else spec.streams.transactional


def _known_host(provider: ProviderSpec) -> str:
    if provider.name not in KNOWN:
        raise ManifestError(
            f"mail provider {provider.name} has no host",
            hint=f"give it `host:`; known without are {', '.join(KNOWN)}",
        )
    return KNOWN[provider.name][0]


def _passwords(ways: Sequence[Hop]) -> Iterator[str]:
    for way in ways:
        user = way.provider.username or KNOWN.get(way.provider.name, ("", None))[1]
        if user and way.provider.password:
            yield f"{way.next_hop} {user}:${{secret:app/{way.provider.password}}}\n"


def _policies(ways: Sequence[Hop]) -> Iterator[str]:
    for way in ways:
        level = f"secure match={way.host}" if way.provider.tls else "none"
        yield f"{way.next_hop} {level}\n"
