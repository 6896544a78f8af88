"""Programs: a list, never a shell; always a deadline; secrets by stdin. The one place that starts any."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cordillera.core.errors import CommandFailed, NotReady


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """What the program printed. Raises CommandFailed on a failure, NotReady after `timeout_s`.

    `env` replaces the environment; None inherits it.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=timeout_s,
            env=None if env is None else dict(env),
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError:
        raise CommandFailed(
            f"{argv[0]} is not installed",
            hint="run `cordillera doctor` for the command that mends it",
        ) from None
    except subprocess.TimeoutExpired as e:
        raise NotReady(f"{argv[0]} gave no answer in {timeout_s:g} s") from e
    if done.returncode != 0:
        raise CommandFailed(
            f"{argv[0]} exited {done.returncode}: {last_line(done.stderr or done.stdout)}"
        )
    return done.stdout


def last_line(text: str) -> str:
    """The last line that says something."""
    return (text.strip().splitlines() or ["(no output)"])[-1]


def detach(argv: Sequence[str], *, log: Path, env: Mapping[str, str]) -> None:
    """Start a program that outlives us, in a session of its own; its output goes to `log`."""
    with log.open("ab") as out:
        subprocess.run(
            ["setsid", "--fork", *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(env),
            cwd="/",
            check=True,
        )


def attached(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout_s: float | None = None
) -> int:
    """Run a program on our own terminal; its exit status. Ctrl-C goes to the program."""
    with subprocess.Popen(list(argv), env=None if env is None else dict(env)) as child:
        while True:
            try:
                return child.wait(timeout=timeout_s)
            except KeyboardInterrupt:
                continue


def logged(
    argv: Sequence[str],
    *,
    log: Path,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
) -> int:
    """Run a program with its output appended to `log`; its exit status. Raises NotReady when late.

    `user` is a numeric uid (and gid) to run as; needs root.
    """
    with log.open("ab") as out:
        try:
            return subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=timeout_s,
                env=None if env is None else dict(env),
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user is not None else None,
                check=False,
            ).returncode
        except FileNotFoundError:
            raise CommandFailed(f"{argv[0]} is not installed") from None
        except subprocess.TimeoutExpired as e:
            raise NotReady(f"{argv[0]} was not done in {timeout_s:g} s") from e


@contextmanager
def streaming(argv: Sequence[str], *, log: Path) -> Iterator[IO[bytes]]:
    """A program's output, to be read while it runs; its errors go to `log`. Raises CommandFailed."""
    with log.open("wb") as errors:
        child = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        yield from _ended(argv, child, child.stdout)


@contextmanager
def feeding(argv: Sequence[str]) -> Iterator[IO[bytes]]:
    """A program's input, to be written while it runs. Raises CommandFailed."""
    child = subprocess.Popen(list(argv), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    yield from _ended(argv, child, child.stdin)


@contextmanager
def beside(argv: Sequence[str], *, log: Path) -> Iterator[None]:
    """A program that runs for as long as the block, and is killed after it; its output goes to `log`."""
    with log.open("ab") as out:
        child = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield
    finally:
        child.kill()
        child.wait()


def _ended(
    argv: Sequence[str], child: subprocess.Popen[bytes], pipe: IO[bytes] | None
) -> Iterator[IO[bytes]]:
    """Lend the pipe, then wait for the program; one that is left half-way is killed."""
    assert pipe is not None
    try:
        yield pipe
        pipe.close()
        status = child.wait()
    except BaseException:
        child.kill()
        child.wait()
        raise
    if status != 0:
        raise CommandFailed(f"{argv[0]} exited {status}")


def alive(pid: int) -> bool:
    """Whether a process with that pid exists."""
    return pid > 0 and Path(f"/proc/{pid}").exists()


def is_root() -> bool:
    """Whether we may make namespaces, cgroups and other users' processes."""
    return os.geteuid() == 0
