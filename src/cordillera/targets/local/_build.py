"""Runs a release's `build.run` where it can do no harm: in its own folder, with a way out and nothing else.

As root: a user, processes, mounts and a network of its own, from which web and name servers outside are
reached and no environment is; limits on time, memory, processes and disk. Without root: own mounts and
processes where the kernel allows them.
"""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from cordillera.core import files, process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local import (
    _build_network,
    _cgroup,
    _net,
    _sandbox,
    _seccomp,
    _supervisor_config,
)
from cordillera.targets.local._keeper.processes import matching
from cordillera.targets.local._log import log_tail
from cordillera.targets.local._site import Site
from cordillera.targets.local._start import OPEN_FILES, PATH

WITHIN_S = 900.0
USER = "build"
LIMITS = _cgroup.Limits(memory_bytes=4 << 30, cpu_cores=0.0, processes=1024)
MOST_BYTES, MOST_FILES = 8 << 30, 1_000_000
"""What a build may leave in its folder; looked at while it runs."""
LOOK_EVERY_S = 5.0
GIVEN = ("PIP_", "NPM_", "npm_config_", "HTTP", "http", "SSL_", "NODE_EXTRA_CA_CERTS")
"""Variables of ours that say how package registries are reached."""


def path_variable(target: Path) -> str:
    """PATH for commands of the release in that folder: its own virtual environment and node modules first."""
    return f"{target}/venv/bin:{target}/app/node_modules/.bin:{PATH}"


def run(command: str, target: Path, site: Site, log: Path) -> None:
    """Run the build of the release in that folder; nothing is run for an empty command.

    Raises CordilleraError with the log's end. The folder is root's afterwards, so that no copy can change it.
    """
    if not command:
        return
    user, cache = site.uid(USER), site.state / "cache"
    files.make_folder(cache, mode=0o700, owner=user, group=user)
    files.make_folder(target / "tmp", mode=0o700)
    if user is not None:
        files.give(target, user, user)
    files.write(log, "")
    steps = [[_interpreter(), "-m", "venv", str(target / "venv")], ["/bin/sh", "-ec", command]]
    with _build_network.joined(site, target.name, log):
        codes = (_contained(argv, target, cache, site, log) for argv in steps)
        code = next((code for code in codes if code != 0), 0)
        if code != 0:
            end = "".join(f"\n    build | {line}" for line in log_tail(log, 8))
            raise CordilleraError(
                f"the build exited {code}: {command}{end}", hint=f"see all of it in {log}"
            )
    shutil.rmtree(target / "tmp", ignore_errors=True)


def _contained(argv: Sequence[str], target: Path, cache: Path, site: Site, log: Path) -> int:
    """The exit status of a command in the sandbox. Raises CordilleraError when it takes more than it may."""
    spec = site.run / f"build-{target.name}.json"
    files.write_json(spec, _spec(argv, target, cache, site))
    over, grew = Event(), Event()
    shim = [sys.executable, "-I", "-S", str(_supervisor_config.SHIM), str(spec)]
    watch = Thread(target=_watch, args=(target, spec, over, grew), daemon=True)
    watch.start()
    try:
        command = [*_around(target, cache, spec, site), *shim]
        code = process.logged(command, log=log, timeout_s=WITHIN_S, cwd=Path("/"))
    finally:
        over.set()
        watch.join()
        spec.unlink(missing_ok=True)
    if grew.is_set():
        raise CordilleraError(
            f"the build was ended: it left more than {MOST_BYTES >> 30} GB or {MOST_FILES:,} files",
            hint="have it remove what the app does not need to run",
        )
    return code


def _around(target: Path, cache: Path, spec: Path, site: Site) -> list[str]:
    """Network and mounts. Empty where users may have neither."""
    if not _sandbox.possible():
        return []
    netns = _net.NETNS_FOLDER / site.build_netns(target.name)
    entered = ["nsenter", f"--net={netns}"] if site.namespaced else []
    own = ["--bind", str(target / "tmp"), "/tmp"]  # noqa: S108
    own += _sandbox.both("--ro-bind", *_sandbox.python(), spec)  # they may lie in /tmp
    own += _sandbox.both("--bind", target, cache)
    names = _build_network.resolvers(site) if entered else []
    groups = _sandbox.both("--bind", *_cgroup.folders(site))
    return [
        *entered,
        *("bwrap", *_sandbox.machine(), *own, *names, *groups, "--die-with-parent", "--"),
    ]


def _spec(argv: Sequence[str], target: Path, cache: Path, site: Site) -> Mapping[str, Any]:
    """What the shim is told: as whom, and with which limits."""
    given = {key: value for key, value in os.environ.items() if key.startswith(GIVEN)}
    return {
        "argv": list(argv), "prepare": [], "folder": str(target / "app"), "netns": "", "view": None,
        "env": {
            **given,
            "PATH": path_variable(target), "HOME": str(target), "LANG": "C.UTF-8",
            "VIRTUAL_ENV": str(target / "venv"), "PIP_CACHE_DIR": str(cache / "pip"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1",
            "npm_config_cache": str(cache / "npm"),
        },
        "part": "", "note": "", "log": "", "backoff": "",
        "user": site.uid(USER), "groups": [], "capabilities": [], "keep_privileges": False,
        "filter": _seccomp.compiled().hex(),
        "cgroups": _cgroup.make(site, USER, LIMITS),
        "limits": {"nofile": OPEN_FILES, "core": 0, "fsize": MOST_BYTES},
    }  # fmt: skip


def _watch(target: Path, spec: Path, over: Event, grew: Event) -> None:
    """End a build that leaves more in its folder than it may, and say so by `grew`."""
    sought = str(spec).encode()  # what its shim was told, in the sandbox's command
    while not over.wait(LOOK_EVERY_S):
        if too_large(target):
            grew.set()
            for pid in matching(lambda words: sought in words):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return


def too_large(folder: Path) -> bool:
    """Whether there is more in it than a build may leave."""
    size = count = 0
    for _, _, names, at in os.fwalk(folder, follow_symlinks=False):
        for name in names:
            try:
                size += os.stat(name, dir_fd=at, follow_symlinks=False).st_blocks * 512
            except FileNotFoundError:
                continue
            count += 1
        if size > MOST_BYTES or count > MOST_FILES:
            return True
    return False


def _interpreter() -> str:
    """A Python that unprivileged users may run: the machine's own where ours lies in a closed home."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable
