"""Rebuilding a MariaDB replica from a copy of the writer's data, while both run."""

import shutil
from pathlib import Path

from cordillera.core import files, process
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._mariadb_ask import Server, session
from cordillera.targets.local._mariadb_start import KEEP_OLD, sync_tree
from cordillera.targets.local._site import Site

COPY_TIMEOUT_S = 3600.0


def rebuild(site: Site, writer: Server, server: Server, *, keep_old: bool) -> None:
    """Copy the writer's data beside the replica's, then have the replica restart with the copy.

    Always raises NotReady: its supervisor starts it again, `_mariadb_start` puts the copy in place.
    """
    source, zone = site.zone(writer.zone), site.zone(server.zone)
    folder = zone.state / config.DATA
    aside, incoming = folder / "copying", folder / "incoming"
    shutil.rmtree(aside, ignore_errors=True)
    options = [f"--defaults-file={source.run / config.CLIENT}", f"--target-dir={aside}"]
    data = source.state / config.DATA / "mysql"
    _backup(site, folder, [*options, "--backup", f"--datadir={data}"])
    _backup(site, folder, ["--no-defaults", f"--target-dir={aside}", "--prepare"])
    if keep_old:
        files.write(aside / KEEP_OLD, "its last transactions are not the writer's\n")
    sync_tree(aside)
    shutil.rmtree(incoming, ignore_errors=True)
    aside.rename(incoming)
    with session(site, zone) as cursor:
        cursor.execute("SHUTDOWN")
    raise NotReady(f"the database in zone {zone.name} starts with a copy of zone {source.name}")


def _backup(site: Site, folder: Path, options: list[str]) -> None:
    log = folder / "copying.log"
    code = process.logged(
        ["mariadb-backup", *options, f"--tmpdir={folder / 'tmp'}"],
        log=log,
        timeout_s=COPY_TIMEOUT_S,
        user=site.server_user,
    )
    if code != 0:
        raise CommandFailed(
            f"mariadb-backup exited {code}: {process.last_line(log.read_text())}", hint=f"see {log}"
        )
