"""What SeaweedFS is told on this machine: masters that vote, volumes that hold, filers, S3 gateways.

Names of objects ride on the environment's database, contents lie in both zones. The flags and what
they avoid are in docs/decisions/0009-objects.md.
"""

import json
import sys
from collections.abc import Mapping, Sequence

from cordillera.targets.local import programs
from cordillera.targets.local._site import Site, Zone

MASTER_PORT, VOLUME_PORT, SPARE_PORT, FILER_PORT, S3_PORT = 9333, 8081, 8082, 8888, 8333
ENDPOINT_PORT = 8334
GRPC = 10_000
"""Each server answers gRPC at its own port plus this."""
SERVERS = MASTER_PORT, VOLUME_PORT, SPARE_PORT, FILER_PORT, S3_PORT
PORTS = [port + more for port in SERVERS for more in (0, GRPC)]
"""Everything that the store's servers ask each other at."""
REPLICATION = "100"
"""One more copy, in another zone."""
VOLUME_LIMIT_MB = 256
VOLUMES_MAX = 2000
"""Slots, which cost nothing: each loss of a zone begins two volumes more."""
HEALTH = "/healthz"
VOLUME_DATA = "objects-volume"
SPARE_DATA = "objects-spare"
SPARE_FLAG = "objects-spare.wanted"
"""A file beside its sockets: a zone's keeper lays it down, its lookout runs the spare while it is there."""
LEAVES_S = 2
"""A spare that ends is given nothing more for that long before."""
MASTER_DATA = "objects-master"
MASTERS_FILE, PATIENCE_FILE = "{data}/masters", "{data}/patience"
START = "cordillera.targets.local._weed_masters"
SPARE_START = "cordillera.targets.local._keeper.spare"

VARIABLES = {"GOMAXPROCS": "2", "GOGC": "60"}
MASTER_VARIABLES = {**VARIABLES, "GOMAXPROCS": "1"}
"""Masters move no data: one thread costs less at rest."""

MASTER_TOML = """\
[master.volume_growth]
copy_1 = 2
copy_2 = 2
"""

SECURITY_TOML = """\
[jwt.signing]
key = "${secret:objects/volume-write}"
[jwt.signing.read]
key = "${secret:objects/volume-read}"
[jwt.filer_signing]
key = "${secret:objects/filer-write}"
[jwt.filer_signing.read]
key = "${secret:objects/filer-read}"
"""

FILER_TOML = """\
[mysql2]
enabled = true
createTable = \"\"\"
  CREATE TABLE IF NOT EXISTS `%s` (
    `dirhash` BIGINT NOT NULL,
    `name` VARCHAR(766) NOT NULL,
    `directory` TEXT NOT NULL,
    `meta` LONGBLOB,
    PRIMARY KEY (`dirhash`, `name`)
  ) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
\"\"\"
hostname = "{private}"
port = 3310
username = "cordillera_objects"
password = "${secret:objects/db}"
database = "cordillera_objects"
connection_max_idle = 4
connection_max_open = 16
connection_max_lifetime_seconds = 300
interpolateParams = false
enableUpsert = true
upsertQuery = \"\"\"INSERT INTO `%s` (`dirhash`,`name`,`directory`,`meta`) VALUES (?,?,?,?) ON DUPLICATE KEY UPDATE `meta` = VALUES(`meta`)\"\"\"
"""


def masters(site: Site, nearest: Zone | None = None) -> str:
    """All masters, the witness's first, which leads by preference, then the zone's own.

    A server that lost its leader asks in this order, every 5 s; the first founds the cluster.
    """
    ordered = sorted(site.domains, key=lambda zone: (not zone.votes_only, zone != nearest))
    return ",".join(f"{zone.private}:{MASTER_PORT}" for zone in ordered)


def master(site: Site) -> Sequence[str]:
    """The command of a master; how soon it seeks election is what `master_prepare` found."""
    words = (
        *_weed("master"), f"-port={MASTER_PORT}", "-mdir={data}", f"-peers={masters(site)}",
        f"-defaultReplication={REPLICATION}", f"-volumeSizeLimitMB={VOLUME_LIMIT_MB}",
        "-telemetry=false", "-resumeState", "-raftHashicorp",
    )  # fmt: skip
    return ("/bin/sh", "-c", f'exec "$@" $(cat {PATIENCE_FILE})', "sh", *words)


def master_prepare(site: Site, zone: Zone) -> Sequence[str]:
    """The command that must precede each start of a master."""
    others = ",".join(f"{z.private}:{MASTER_PORT}" for z in site.domains if z != zone)
    return (sys.executable, "-m", START, "master", PATIENCE_FILE, others)


def volume(zone: Zone) -> Sequence[str]:
    """The command of a volume server: masters in the order that `volume_prepare` found."""
    return _volume(VOLUME_PORT, zone.name, leaves_s=0)


def spare(zone: Zone) -> Sequence[str]:
    """The command of the volume server that takes a lost zone's copies: to the masters a zone of its own."""
    return _volume(SPARE_PORT, f"{zone.name}-spare", leaves_s=LEAVES_S)


def _volume(port: int, place: str, *, leaves_s: int) -> Sequence[str]:
    words = (
        *_weed("volume"), f"-port={port}", "-dir={data}", f"-max={VOLUMES_MAX}",
        f"-dataCenter={place}", f"-rack={place}",
        f"-preStopSeconds={leaves_s}", "-volume.allowUntrustedRemoteEndpoints",
    )  # fmt: skip
    return ("/bin/sh", "-c", f'exec "$@" -master="$(cat {MASTERS_FILE})"', "sh", *words)


def spare_prepare(site: Site, zone: Zone, keeper: str) -> Sequence[str]:
    """The command that must precede each start of a spare. `keeper` is the plan of the zone's keeper."""
    return (sys.executable, "-m", SPARE_START, keeper, "{data}", MASTERS_FILE, masters(site, zone))


def volume_prepare(site: Site, zone: Zone) -> Sequence[str]:
    """The command that must precede each start of a volume server."""
    return (sys.executable, "-m", START, "volume", MASTERS_FILE, masters(site, zone))


def filer(site: Site, zone: Zone) -> Sequence[str]:
    """The command of a filer."""
    return (
        *_weed("filer"), f"-port={FILER_PORT}", f"-master={masters(site, zone)}",
        f"-dataCenter={zone.name}", f"-defaultReplicaPlacement={REPLICATION}",
        "-localSocket={sockets}/objects-filer.sock",
        "-disableDirListing", "-exposeDirectoryData=false", "-allowUntrustedRemoteEndpoints",
    )  # fmt: skip


def gateway(zone: Zone) -> Sequence[str]:
    """The command of an S3 gateway. A second one on the machine would clash on Lance's port."""
    return (
        programs.path("weed"), "-logtostderr=true", "s3", "-ip.bind={private}", f"-port={S3_PORT}",
        f"-filer={{private}}:{FILER_PORT}", "-config={run}/objects-s3.json",
        "-localSocket={sockets}/objects-s3.sock", "-localFilerSocket={sockets}/objects-filer.sock",
        "-port.lance=0", "-port.iceberg=0", "-iam=false", f"-dataCenter={zone.name}",
        "-allowUntrustedRemoteEndpoints", "-autoCreateBucket=false",
    )  # fmt: skip


def identities(public: Mapping[str, Sequence[str]]) -> str:
    """Who may do what: the app everything, anybody may read `public` (bucket -> prefixes)."""
    app = {
        "name": "app",
        "credentials": [
            {"accessKey": "${secret:aws/access-key}", "secretKey": "${secret:aws/secret-key}"}
        ],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    reads = [
        f"Read:{bucket}/{prefix}*" for bucket, prefixes in public.items() for prefix in prefixes
    ]
    anybody = [{"name": "anonymous", "actions": reads}] if reads else []
    return json.dumps({"identities": [app, *anybody]}, indent=1)


def _weed(kind: str) -> tuple[str, ...]:
    return (programs.path("weed"), "-logtostderr=true", kind, "-ip={private}", "-ip.bind={private}")
