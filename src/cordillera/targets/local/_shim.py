"""Becomes a supervised program: waits out its back-off, enters its subnet and limits, drops privileges.

Run by the zone's supervisor as `python -I -S _shim.py SPEC.json`, standard library only. The program
replaces this process, so its pid is the one that the supervisor knows and nothing of Python stays.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
PR_SET_NO_NEW_PRIVS = 38
FIRST_DELAY_S, LONGEST_DELAY_S, STEADY_S = 0.5, 30.0, 10.0


def next_delay(delay_s: float, ran_s: float) -> float:
    """Back-off: none after a steady run, else doubled from half a second to thirty."""
    if ran_s >= STEADY_S:
        return 0.0
    return min(LONGEST_DELAY_S, max(FIRST_DELAY_S, delay_s * 2))


def wait_out(path: str) -> None:
    """Sleep as long as earlier starts ask for, and note this start in `path`."""
    delay_s = 0.0
    with contextlib.suppress(OSError, ValueError, KeyError), open(path) as file:
        last = json.load(file)
        delay_s = next_delay(last["delay_s"], time.time() - last["at"])
    if delay_s:
        time.sleep(delay_s)
    with contextlib.suppress(OSError), open(path, "w") as file:
        json.dump({"at": time.time(), "delay_s": delay_s}, file)


def enter_subnet(netns: str) -> None:
    """Move to a network namespace, given by its file."""
    descriptor = os.open(netns, os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {netns}")
    os.close(descriptor)


def enter_root(root: str, bound: list[str]) -> None:
    """See an image's files only, besides /proc, /dev, a /tmp of one's own and the files in `bound`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "cannot have mounts of our own")
    mounts = [
        ["--bind", root, root],
        ["--rbind", "/proc", f"{root}/proc"],
        ["--rbind", "/dev", f"{root}/dev"],
    ]
    mounts += [
        ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{root}/{name}"] for name in ("tmp", "run")
    ]
    mounts += [
        ["--bind", f"/etc/{name}", f"{root}/etc/{name}"] for name in ("hosts", "resolv.conf")
    ]
    for words in mounts:
        subprocess.run(["mount", *words], check=True, stdin=subprocess.DEVNULL)
    for path in bound:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with open(root + path, "wb") as copy, open(path, "rb") as file:
            copy.write(file.read())
    os.chroot(root)
    os.chdir("/")


def enter_limits(cgroups: list[str]) -> None:
    """Join the cgroups, given by their cgroup.procs files."""
    for path in cgroups:
        with contextlib.suppress(OSError), open(path, "w") as file:
            file.write("0")


def drop_to(user: int | None) -> None:
    """Become an unprivileged user for good."""
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def log_to(path: str, user: int | None) -> None:
    """Send stdout and stderr to a file: a frozen supervisor never stalls the program.

    The file is the user's, because some programs open /dev/stderr anew.
    """
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        if user is not None:
            os.fchown(descriptor, user, user)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def note(path: str, part: str) -> None:
    """Tell which part and digest this process is; copies that share a program add a line each."""
    if not path:
        return
    with open(path, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # copies start at one moment
        file.seek(0)
        alive = [line for line in file if os.path.exists(f"/proc/{line.split('|')[0]}")]
        file.truncate(0)
        file.writelines([*alive, f"{os.getpid()}|{part}\n"])


def prepare(spec: dict, env: dict) -> None:  # type: ignore[type-arg]
    """Run the commands that must precede the program; their failure is ours."""
    for argv in spec["prepare"]:
        code = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL).returncode
        if code != 0:
            print(f"{argv[0]} exited {code}", file=sys.stderr, flush=True)
            sys.exit(code if code > 0 else 1)


def main() -> None:
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    log_to(spec["log"], spec["user"])
    if spec["backoff"]:
        wait_out(spec["backoff"])
    note(spec["note"], spec["part"])
    enter_limits(spec["cgroups"])
    if spec["netns"]:
        enter_subnet(spec["netns"])
    if spec["root"]:
        enter_root(spec["root"], spec["bound"])
    drop = spec["user"]
    if drop is not None or not spec["keep_privileges"]:
        drop_to(drop)
    os.umask(0o027)
    os.chdir(spec["folder"])
    spec["env"]["CORDILLERA_PROCESS"] = os.environ.get("SUPERVISOR_PROCESS_NAME", "")
    prepare(spec, spec["env"])
    try:
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as e:
        print(f"cannot run {spec['argv'][0]}: {e.strerror}", file=sys.stderr, flush=True)
        sys.exit(127)


if __name__ == "__main__":
    main()
