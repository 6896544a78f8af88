"""What every target tells Postfix, whose queue only sends on: providers, how long it tries, how safely."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cordillera.components.mail import MailSpec, ProviderSpec, StreamSpec
from cordillera.core.errors import ManifestError

STREAMS = ("transactional", "bulk")
BULK_HEADER = "/^X-Cordillera-Stream:[[:space:]]*bulk/"
"""How a mail says that it is one of many, as an expression of header_checks(5)."""

KNOWN = {
    "ses": ("email-smtp.us-east-1.amazonaws.com", None),
    "sendgrid": ("smtp.sendgrid.net", "apikey"),
}
"""Provider -> its SMTP server and, where it is always the same, the user."""

MAIN = """\
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
mydestination =
alias_maps =
local_transport = error:nobody reads mail here
inet_protocols = ipv4
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
message_size_limit = 26214400
mailbox_size_limit = 0
notify_classes =
bounce_queue_lifetime = 1d
maximal_queue_lifetime = 5d
minimal_backoff_time = 30s
maximal_backoff_time = 15m
queue_run_delay = 15s
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = may
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_connection_cache_on_demand = no
smtp_destination_recipient_limit = 1
bulk_destination_recipient_limit = 1
smtp_connect_timeout = 10s
smtp_host_lookup = native
bulk_destination_concurrency_failed_cohort_limit = 100
smtp_destination_concurrency_failed_cohort_limit = 100
"""
"""main.cf(5): nothing is delivered here, and whoever may connect may send."""

HERE = """\
queue_directory = {place.queue}
data_directory = {place.lib}
myhostname = {place.host}
inet_interfaces = {place.interfaces}
mynetworks = {place.networks}
header_checks = regexp:{place.settings}/header_checks
smtp_sasl_password_maps = texthash:{place.settings}/passwords
smtp_tls_policy_maps = texthash:{place.settings}/tls
smtp_destination_rate_delay = {transactional_delay}s
bulk_destination_rate_delay = {bulk_delay}s
relayhost = {relay}
smtp_fallback_relay = {fallback}
"""
"""And what is of one queue only."""

MASTER = """\
{place.listen}:{place.port} inet n - n - - smtpd
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
"""master.cf(5): one way out for each stream."""


@dataclass(frozen=True)
class Place:
    """Where a queue lies, its name, where it listens, who may send; `copies` share a stream's rate."""

    queue: str
    lib: str
    settings: str
    host: str
    interfaces: str
    listen: str
    port: int
    networks: str
    copies: int = 1


def main(place: Place, spec: MailSpec, ways: Sequence[str]) -> str:
    """main.cf; `ways` are the transactional stream's next hops, in order. Pure."""
    streams = spec.streams
    return MAIN + HERE.format(
        place=place,
        relay=ways[0],
        fallback=" ".join(ways[1:]),
        transactional_delay=delay_s(streams.transactional) * place.copies,
        bulk_delay=delay_s(streams.bulk) * place.copies,
    )


def master(place: Place, ways: Sequence[str]) -> str:
    """master.cf; `ways` are the bulk stream's next hops, in order. Pure."""
    return MASTER.format(place=place, bulk_fallback=",".join(ways[1:]))


def header_checks(ways: Sequence[str]) -> str:
    """The map that gives bulk mail its own way out. Pure."""
    return f"{BULK_HEADER} FILTER bulk:{ways[0]}\n"


def tls_policy(next_hop: str, server: str, *, tls: bool) -> str:
    """A line of the map that says how safely a next hop is spoken to. Pure."""
    return f"{next_hop} {f'secure match={server}' if tls else 'none'}\n"


def host(provider: ProviderSpec) -> str:
    """Its SMTP server. Raises ManifestError for an unknown one that does not say."""
    if provider.host:
        return provider.host
    if provider.name not in KNOWN:
        raise ManifestError(
            f"mail provider {provider.name} has no host",
            hint=f"give it `host:`; known without are {', '.join(KNOWN)}",
        )
    return KNOWN[provider.name][0]


def user(provider: ProviderSpec) -> str:
    """Whom to log in as; empty when nobody."""
    return provider.username or KNOWN.get(provider.name, ("", None))[1] or ""


def stream(spec: MailSpec, name: str) -> StreamSpec:
    """One of STREAMS."""
    return spec.streams.bulk if name == "bulk" else spec.streams.transactional


def delay_s(one: StreamSpec) -> int:
    """Whole seconds between two mails of a stream that sends less than one a second. Pure."""
    return math.ceil(1 / one.rate) if one.rate and one.rate < 1 else 0
