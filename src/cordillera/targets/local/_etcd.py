"""What an etcd member is told: three of them, one in each failure domain, and nobody else may ask them."""

import platform
from collections.abc import Mapping, Sequence

from cordillera.targets.local._site import Site, Zone

CLIENT_PORT, PEER_PORT = 2379, 2380
DATA = "votes"
PEM = "votes.pem"
"""Certificate, authority and key in one file: members and keepers show it to each other."""
SECRET, CA_SECRET = "tls/votes", "tls/votes-authority"
HEARTBEAT_MS, ELECTION_MS = 250, 1250
"""Ten heartbeats a second would cost a machine at rest more than anything else that it runs."""
KEPT_REVISIONS = 1000
MOST_BYTES = 64 << 20


def member(site: Site, zone: Zone) -> Sequence[str]:
    """The command of the member in `zone`."""
    at, peer = f"https://{{private}}:{CLIENT_PORT}", f"https://{{private}}:{PEER_PORT}"
    everybody = ",".join(f"{z.name}=https://{z.private}:{PEER_PORT}" for z in site.domains)
    ca, pem = f"{{run}}/{PEM}.ca", f"{{run}}/{PEM}"
    return (
        "etcd", f"--name={zone.name}", "--data-dir={data}/etcd",
        f"--listen-client-urls={at}", f"--advertise-client-urls={at}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={everybody}", "--initial-cluster-state=new",
        f"--initial-cluster-token={site.environment}",
        "--client-cert-auth", f"--trusted-ca-file={ca}", f"--cert-file={pem}", f"--key-file={pem}",
        "--peer-client-cert-auth", f"--peer-trusted-ca-file={ca}",
        f"--peer-cert-file={pem}", f"--peer-key-file={pem}",
        f"--heartbeat-interval={HEARTBEAT_MS}", f"--election-timeout={ELECTION_MS}",
        "--pre-vote=true",  # else a zone that was cut off costs an election when it is back
        "--auto-compaction-mode=revision", f"--auto-compaction-retention={KEPT_REVISIONS}",
        f"--quota-backend-bytes={MOST_BYTES}", "--snapshot-count=5000",
        "--logger=zap", "--log-level=warn", "--log-outputs=stderr",
    )  # fmt: skip


def files() -> Mapping[str, str]:
    """What members and keepers need to show and to check certificates."""
    return {PEM: f"${{secret:{SECRET}}}", f"{PEM}.ca": f"${{secret:{CA_SECRET}}}"}


def variables() -> Mapping[str, str]:
    """etcd 3.4 starts on ARM only when it is told that this is meant."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), "")
    return {"GOMAXPROCS": "1", **({"ETCD_UNSUPPORTED_ARCH": machine} if machine else {})}


def members(site: Site) -> list[tuple[str, int]]:
    """Where each member answers keepers."""
    return [(zone.private, CLIENT_PORT) for zone in site.domains]
