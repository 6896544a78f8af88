"""Certificates: the environment's own authority and the one certificate that its servers show.

Keys are sealed in the vault; the authority's certificate is a plain file that a browser may trust.
"""

import ipaddress
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core import files
from cordillera.targets.local import _etcd, _start, _supervisor, _visitor
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Parts, Task, part
from cordillera.targets.local._site import Site
from cordillera.targets.local._zone import CA_FILE

OFFER = Offered("from the environment's own authority")

AUTHORITY_DAYS, SERVER_DAYS, RENEW_BEFORE_DAYS = 3650, 90, 30
AUTHORITY_KEY, SERVER_SECRET, INSIDE_SECRET = "tls/authority", "tls/server", "tls/inside"
"""Vault names: the authority's key; certificate, chain and key in one PEM: what visitors are shown, and what
services are shown by their zone's proxy. Only the latter names addresses inside.
"""
INSIDE_FILE = "proxy.tls.pem"
SECRETS = {"issue": SERVER_SECRET, "issue-inside": INSIDE_SECRET}
VOTERS_PART = "voters"


class Certificate(Component):
    """Issued at `up`, renewed at any later `up` within 30 days of its end, without a restart."""

    name = "certificate"

    def parts(self, want: Wanted, site: Site) -> Parts:
        inside = tuple(zone.private for zone in site.domains)
        tasks = {
            "server": Task("issue", {}, tuple(names(want, site))),
            "inside": Task("issue-inside", {}, inside),
            VOTERS_PART: Task("issue-voters", {}, voters_names(site)),
        }
        return tuple(
            part("certificate", name, "certificate", task, site.vault.digest)
            for name, task in tasks.items()
        )

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        if not (site.state / CA_FILE).exists() or AUTHORITY_KEY not in site.vault.chosen():
            _make_authority(site, want)
        if task.verb == "issue-voters":
            _issue_voters(site, task.watched)
            return
        secret = SECRETS[task.verb]
        if not _good(site, secret, task.watched):
            site.vault.put(secret, _issued(site, task.watched, SERVER_DAYS, client=False))
            _hand_over(site, secret)

    def holds(self, task: Task, site: Site) -> bool:
        if task.verb == "issue-voters":
            return {_etcd.SECRET, _etcd.CA_SECRET} <= set(site.vault.chosen())
        return (site.state / CA_FILE).exists() and _good(site, SECRETS[task.verb], task.watched)


def names(want: Wanted, site: Site) -> list[str]:
    """What the certificate that visitors are shown is valid for: no address inside."""
    return [*want.edge.domains, *_visitor.own_hosts(want.environment, site)]


def voters_names(site: Site) -> tuple[str, ...]:
    """The addresses that etcd's members may come from: each compares a peer's with its certificate. Pure."""
    # Whatever address of loopback is called, the kernel has the caller come from 127.0.0.1.
    callers = () if site.namespaced else ("127.0.0.1",)
    return (*(zone.private for zone in site.domains), *callers)


def days_left(site: Site) -> float | None:
    """Days until the certificate that visitors are shown ends; None when there is none."""
    return _days_left(site, SERVER_SECRET)


def _days_left(site: Site, secret: str) -> float | None:
    if secret not in site.vault.chosen():
        return None
    left: timedelta = _read(site, secret).not_valid_after_utc - datetime.now(UTC)
    return left.total_seconds() / 86400


def _read(site: Site, secret: str) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(site.vault.get(secret).encode())


def _good(site: Site, secret: str, wanted: Sequence[str]) -> bool:
    from cryptography import x509

    left = _days_left(site, secret)
    if left is None or left < RENEW_BEFORE_DAYS:
        return False
    found = (
        _read(site, secret).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )
    return {str(entry.value) for entry in found} == set(wanted)


def _make_authority(site: Site, want: Wanted) -> None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Cordillera {want.environment}")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, name, key, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    site.vault.put(AUTHORITY_KEY, _pem_key(key))
    files.write(site.state / CA_FILE, _pem(_sign(builder, key)), mode=0o644)


def _issue_voters(site: Site, addresses: Sequence[str]) -> None:
    """What etcd's members and the keepers show each other: as long-lived as the authority, never served."""
    site.vault.put(_etcd.SECRET, _issued(site, addresses, AUTHORITY_DAYS, client=True))
    site.vault.put(_etcd.CA_SECRET, (site.state / CA_FILE).read_text())


def _issued(site: Site, wanted: Sequence[str], days: int, *, client: bool) -> str:
    """A certificate for these names, the authority's, and its key, in one PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority_pem = (site.state / CA_FILE).read_text()
    authority = x509.load_pem_x509_certificate(authority_pem.encode())
    signer = serialization.load_pem_private_key(site.vault.get(AUTHORITY_KEY).encode(), None)
    key = _new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted[0])])
    builder = _builder(subject, authority.subject, key, days)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([_name(n) for n in dict.fromkeys(wanted)]), critical=False
    )
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(
        x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] * client)]
        ),
        critical=False,
    )
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),  # type: ignore[arg-type]
        critical=False,
    )
    certificate = _sign(builder, signer)
    return _pem(certificate) + authority_pem + _pem_key(key)


def _hand_over(site: Site, secret: str) -> None:
    """Give the new certificate to the programs that show it; those not running get it at start."""
    for zone in (site.front, *site.zones):
        for path in zone.run.glob("*/*.tls.pem"):
            if (path.name == INSIDE_FILE) != (secret == INSIDE_SECRET):
                continue
            found = path.stat()
            mode, text = stat.S_IMODE(found.st_mode), site.vault.get(secret)
            files.write(path, text, mode=mode, group=found.st_gid)
            program = path.name.removesuffix(".tls.pem")
            if _start.spec_file(zone, program).exists():
                _supervisor.Supervisor(site, zone).signal(program, "USR2")


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _builder(subject: Any, issuer: Any, key: Any, days: int) -> Any:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _sign(builder: Any, key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes

    return builder.sign(key, hashes.SHA256())


def _name(text: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return str(certificate.public_bytes(Encoding.PEM).decode())


def _pem_key(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization as s

    raw = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    return str(raw.decode())
