"""Every server program of the target `local`: what it is for, which versions do, how to get it.

`python -m cordillera.targets.local.programs` prints the Debian packages that are missing.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cordillera.core import process
from cordillera.core.errors import CordilleraError

if TYPE_CHECKING:  # what is supervised imports this file, and needs no manifest
    from cordillera.components.wanted import Wanted

BUNDLED = {"osmem-server": "osmem_server/bin/osmem-server"}
"""Programs that lie inside a Python package."""
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/lib/postfix/sbin", "/sbin")
VERSION_TIMEOUT_S = 5.0
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)*")


@dataclass(frozen=True)
class Program:
    """A program, or a file that one loads (`file`, a pattern). `least` is the oldest version that was tried.

    `needed_by` are components; `package` is Debian's, empty for what pip installs with the product.
    """

    name: str
    package: str
    needed_by: tuple[str, ...]
    ask: tuple[str, ...] = ()
    least: tuple[int, int] = (0, 0)
    file: str = ""
    root_only: bool = False


MIMALLOC = Program("mimalloc", "libmimalloc2.0", (), file="/usr/lib/*/libmimalloc.so.2")
"""Not needed: it makes the firewall a fifth cheaper where it is there."""

PROGRAMS = (
    Program("supervisord", "", ("zone",), ("--version",), (4, 3)),
    Program("bwrap", "bubblewrap", ("zone",), ("--version",), (0, 6)),
    Program("system call profile", "golang-github-containers-common", ("zone",),
            file="/usr/share/containers/seccomp.json"),
    Program("haproxy", "haproxy", ("balancer", "proxy"), ("-v",), (2, 4)),
    Program("nginx", "nginx-core", ("firewall", "cdn"), ("-v",), (1, 18)),
    Program("ModSecurity for nginx", "libnginx-mod-http-modsecurity", ("firewall",),
            file="/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"),
    Program("OWASP Core Rule Set", "modsecurity-crs", ("firewall",),
            file="/usr/share/modsecurity-crs/rules"),
    Program("mariadbd", "mariadb-server", ("database", "queue", "objects"), ("--version",), (10, 6)),
    Program("mariadb-backup", "mariadb-backup", ("database", "queue", "objects"), ("--version",), (10, 6)),
    Program("mbstream", "mariadb-backup", ("database", "queue", "objects")),
    Program("etcd", "etcd-server", ("database", "cache", "queue", "objects"), ("--version",), (3, 4)),
    Program("redis-server", "redis-server", ("cache",), ("--version",), (6, 2)),
    Program("redis-sentinel", "redis-sentinel", ("cache",)),
    Program("weed", "", ("objects",), ("version",), (4, 0)),
    Program("osmem-server", "", ("search",), ("-version",)),
    Program("postfix", "postfix", ("mail",), root_only=True),
    Program("SASL for Postfix", "libsasl2-modules", ("mail",), file="/usr/lib/*/sasl2/libplain.so",
            root_only=True),
    Program("logrotate", "logrotate", ("logs",)),
    Program("nft", "nftables", ("network",), ("--version",), (1, 0), root_only=True),
    Program("slirp4netns", "slirp4netns", ("service",), ("--version",), (1, 0), root_only=True),
    Program("ip", "iproute2", ("network",), root_only=True),
    Program("setsid", "util-linux", ("zone",)),
    MIMALLOC,
)  # fmt: skip
ALWAYS = {"zone", "service", "balancer", "proxy", "firewall", "cdn", "logs", "network"}


def path(name: str) -> str:
    """Where a program lies: beside our Python first. Its plain name when it is not found."""
    return find(name) or name


def find(name: str) -> str | None:
    """The same; None when it is not there."""
    places = [Path(sys.executable).parent / name]
    places += [Path(folder) / BUNDLED[name] for folder in sys.path if name in BUNDLED]
    places += [Path(folder) / name for folder in SYSTEM_FOLDERS]
    found = next((str(place) for place in places if place.is_file()), None)
    return found or shutil.which(name)


def present(program: Program) -> str | None:
    """Where it is; None when it is missing."""
    if program.file:
        return next((str(p) for p in Path("/").glob(program.file.lstrip("/"))), None)
    return find(program.name)


def version(program: Program) -> tuple[int, int] | None:
    """Major and minor as it says itself; None when it does not say."""
    if not program.ask:
        return None
    try:
        # nginx tells its version on stderr.
        told = process.run(
            ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', path(program.name), *program.ask],
            timeout_s=VERSION_TIMEOUT_S,
        )
    except CordilleraError:
        return None
    found = VERSION.search(told.replace("Ver ", ""))
    return (int(found[1]), int(found[2])) if found else None


def needed(want: "Wanted") -> Iterator[Program]:
    """The programs that an environment needs here."""
    kinds = ALWAYS | {spec.type for spec in want.resources.values()}
    for program in PROGRAMS:
        if kinds & set(program.needed_by) and (process.is_root() or not program.root_only):
            yield program


def check(want: "Wanted") -> None:
    """Raises CordilleraError, with the command that mends it, when a needed program is missing."""
    missing = [p for p in needed(want) if present(p) is None]
    if missing:
        names = ", ".join(f"{p.name} (for the {p.needed_by[0]})" for p in missing)
        raise CordilleraError(
            f"{want.environment} needs what this machine lacks: {names}", hint=remedy(missing)
        )


def remedy(missing: list[Program]) -> str:
    """The command that installs them."""
    packages = sorted({p.package for p in missing if p.package})
    commands = [f"apt-get install --no-install-recommends {' '.join(packages)}"] if packages else []
    if any(not p.package for p in missing):
        commands.append("pip install 'cordillera[local]'")
    return " && ".join(commands)


def main() -> None:
    """Print the Debian packages that are missing, on one line."""
    print(*sorted({p.package for p in PROGRAMS if p.package and present(p) is None}))


if __name__ == "__main__":
    main()
