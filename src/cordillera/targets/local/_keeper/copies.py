"""A copy of the writer's data over the network: streamed by its keeper, put in place by the replica's."""

import http.client
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import IO

from cordillera.core import files, process
from cordillera.core.errors import NotReady
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._keeper.plan import Plan
from cordillera.targets.local._mariadb_lag import COPYING
from cordillera.targets.local._mariadb_start import KEEP_OLD, sync_tree

COPY_TIMEOUT_S = 3600.0
SILENCE_S = 60.0
CHUNK_BYTES = 1 << 18


def send(plan: Plan, write: Callable[[bytes], object]) -> None:
    """Stream our server's data as an xbstream, while it runs. Raises OSError, CommandFailed."""
    folder = plan.zone.state / config.DATA
    argv = [
        "mariadb-backup",
        f"--defaults-file={plan.zone.files('database') / config.CLIENT}",
        "--backup",
        "--stream=mbstream",
        f"--datadir={folder / 'mysql'}",
        f"--target-dir={folder / 'tmp'}",
        f"--tmpdir={folder / 'tmp'}",
    ]
    with process.streaming(argv, log=folder / "sending.log") as source:
        while chunk := source.read(CHUNK_BYTES):
            write(chunk)


def fetch(plan: Plan, address: str, *, keep_old: bool) -> None:
    """Put a copy of the writer's data beside ours: the next start of the server takes it.

    `keep_old` keeps our own data aside, for a person to compare. Raises NotReady, CommandFailed.
    """
    folder = plan.zone.state / config.DATA
    aside, incoming = folder / COPYING, folder / "incoming"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    _receive(plan, address, aside)
    prepare = ["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={aside}"]
    process.run([*prepare, f"--tmpdir={folder / 'tmp'}"], timeout_s=COPY_TIMEOUT_S)
    if keep_old:
        files.write(aside / KEEP_OLD, "its last transactions are not the writer's\n")
    sync_tree(aside)
    shutil.rmtree(incoming, ignore_errors=True)
    aside.rename(incoming)


def _receive(plan: Plan, address: str, target: Path) -> None:
    context = ssl.create_default_context(cafile=f"{plan.pem}.ca")
    context.load_cert_chain(plan.pem)
    link = http.client.HTTPSConnection(
        address, config.COPY_PORT, timeout=SILENCE_S, context=context
    )
    try:
        link.request("GET", "/copy")
        answer = link.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise NotReady(f"{address} sends no copy: HTTP {answer.status}")
        with process.feeding(["mbstream", "-x", f"--directory={target}"]) as sink:
            _pump(answer, sink)
    except (OSError, http.client.HTTPException) as e:
        raise NotReady(f"the copy from {address} broke off ({e})") from e
    finally:
        link.close()


def _pump(source: http.client.HTTPResponse, sink: IO[bytes]) -> None:
    """Everything, to the end that a chunked answer marks: a stream that was cut raises."""
    while chunk := source.read(CHUNK_BYTES):
        sink.write(chunk)
