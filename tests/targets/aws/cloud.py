"""An emulated AWS that really runs containers: ministack and a Docker engine in a network of their own.

No image registry can be reached: the base image is made out of this machine's own Python, under the name
that a Dockerfile would ask the world for. Everything is gone with the block.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.targets.aws import emulator

OCTET = os.getpid() % 127 * 2
OURS, THEIRS, BITS = f"10.213.{OCTET}.1", f"10.213.{OCTET}.2", 30
BRIDGE = f"10.213.{OCTET + 1}.1/24"
"""Others may run these tests at the same time."""
BASE, DEBIAN = "python:3.11-slim", "debian:12-slim"
REGISTRY = f"{emulator.ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
ANSWERS_WITHIN_S = 60
PYTHON = "/usr/bin/python3.11"
STANDARD = Path("/usr/lib/python3.11")


def missing() -> str:
    """Why containers cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return "a container engine of our own needs root"
    if not shutil.which("dockerd"):
        return "there is no dockerd: apt-get install docker.io"
    return (
        "" if Path(PYTHON).exists() else f"the base image is made of {PYTHON}, which is not there"
    )


class CannotRun(Exception):
    """Docker does not start here; why, in its own words."""


@dataclass(frozen=True)
class Cloud:
    """`endpoint` for AWS_ENDPOINT_URL, `engine` for DOCKER_HOST."""

    endpoint: str
    engine: str

    def docker(self, *words: str) -> str:
        """What the engine answers."""
        argv = ["docker", "--host", self.engine, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout

    def running(self, service: str) -> list[str]:
        """The containers of an ECS service that run now."""
        label = f"label=com.amazonaws.ecs.container-name={service}"
        return self.docker("ps", "--quiet", "--filter", label).split()

    def inside(self, container: str, *words: str) -> None:
        """Run a command of this machine in a container's network."""
        process = self.docker("inspect", "--format", "{{.State.Pid}}", container).strip()
        argv = ["nsenter", "--target", process, "--net", *words]
        subprocess.run(argv, check=True, timeout=60)

    def make_debian(self, folder: Path, *packages: str) -> None:
        """Debian's base image with the packages that a Dockerfile will ask for: it has no network."""
        packed, cut_off = folder / "debian.tar", 'rm "$1"/etc/apt/sources.list'
        make: list[str | Path] = [
            "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
            f"--customize-hook={cut_off}", "bookworm", packed,
        ]  # fmt: skip
        subprocess.run(make, check=True, timeout=300)
        self.docker("import", str(packed), DEBIAN)
        packed.unlink()


@contextmanager
def cloud(folder: Path) -> Iterator[Cloud]:
    """Start it. `folder` must be short: sockets lie in it. Raises CannotRun where Docker does not start."""
    with ExitStack() as stack:
        enter = stack.enter_context(_namespace(f"cloud{os.getpid()}"))
        engine = stack.enter_context(_engine(folder, enter))
        _make_base(folder / "base", engine)
        here = emulator.ministack(folder, at=(THEIRS, 80), enter=enter, DOCKER_HOST=engine)
        yield Cloud(stack.enter_context(here), engine)


@contextmanager
def _namespace(name: str) -> Iterator[Sequence[str]]:
    """A network namespace that is reached at THEIRS; the words that enter it."""
    link = f"c{os.getpid()}"
    try:
        for line in (
            f"ip netns add {name}",
            f"ip link add {link} type veth peer name eth0 netns {name}",
            f"ip address add {OURS}/{BITS} dev {link}",
            f"ip link set {link} up",
            f"ip -n {name} address add {THEIRS}/{BITS} dev eth0",
            f"ip -n {name} link set eth0 up",
            f"ip -n {name} link set lo up",
            f"ip -n {name} route add default via {OURS}",
        ):
            subprocess.run(line.split(), check=True)
        yield ("nsenter", f"--net=/run/netns/{name}")
    finally:
        subprocess.run(["ip", "link", "delete", link], check=False)
        subprocess.run(["ip", "netns", "delete", name], check=False)


@contextmanager
def _engine(folder: Path, enter: Sequence[str]) -> Iterator[str]:
    """A dockerd of our own; the address of its socket. It takes the emulator for the registry of ECR."""
    hosts, socket = folder / "hosts", folder / "docker.sock"
    hosts.write_text(f"127.0.0.1 localhost\n{THEIRS} {REGISTRY}\n")
    daemon: list[str | Path] = [
        "dockerd", "--data-root", folder / "images", "--exec-root", folder / "exec",
        "--host", f"unix://{socket}", "--pidfile", folder / "docker.pid", "--bip", BRIDGE,
        "--insecure-registry", REGISTRY, "--config-file", folder / "none.json",
    ]  # fmt: skip
    (folder / "none.json").write_text("{}")
    inside = f'mount --bind {hosts} /etc/hosts && exec {" ".join(enter)} "$@"'
    with (folder / "docker.log").open("w") as log:
        argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", inside, "sh", *daemon]
        server = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            _wait(server, socket, folder / "docker.log")
            yield f"unix://{socket}"
        finally:
            server.terminate()
            server.wait(60)


def _wait(server: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    ask = ["docker", "--host", f"unix://{socket}", "info"]
    while subprocess.run(ask, capture_output=True, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise CannotRun("Docker does not start here: " + log.read_text().strip()[-200:])
        time.sleep(0.2)


def _make_base(folder: Path, engine: str) -> None:
    """An image with Python and a shell, out of what this machine runs."""
    wanted = [
        PYTHON,
        *_libraries([PYTHON, "/bin/sh", *STANDARD.glob("lib-dynload/*.so")]),
        "/bin/sh",
    ]
    for name in wanted:
        (folder / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, folder / name.lstrip("/"))
    unneeded = shutil.ignore_patterns("__pycache__", "test", "dist-packages", "sitecustomize.py")
    shutil.copytree(STANDARD, folder / str(STANDARD).lstrip("/"), ignore=unneeded, symlinks=True)
    (folder / "usr/bin/python3").symlink_to("python3.11")
    for name in ("tmp", "etc"):
        (folder / name).mkdir(mode=0o777)
    (folder / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    packed = folder.with_suffix(".tar")
    subprocess.run(["tar", "-C", folder, "-cf", packed, "."], check=True)
    take: list[str | Path] = ["docker", "--host", engine, "import", packed, BASE]
    subprocess.run(take, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    packed.unlink()


def _libraries(programs: Sequence[str | Path]) -> list[str]:
    """The shared libraries that these need."""
    found = [
        subprocess.run(["ldd", one], capture_output=True, text=True, check=False).stdout
        for one in programs
    ]
    return sorted(set(re.findall(r"(/\S+\.so\S*) \(", "\n".join(found))))


if __name__ == "__main__":
    with cloud(Path(sys.argv[1])) as made:
        print(made, flush=True)
        time.sleep(float(sys.argv[2]))
