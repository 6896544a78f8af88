"""Becomes a supervised program: waits out its back-off, enters its subnet and limits, drops privileges.

Run by the zone's supervisor as `python -I -S _shim.py SPEC.json`, standard library only. The program
replaces this process, so its pid is the one that the supervisor knows and nothing of Python stays.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 8, 22, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = {"kill": 5}
CAPABILITIES_MOST = 64
FIRST_DELAY_S, LONGEST_DELAY_S, STEADY_S = 0.5, 30.0, 10.0

libc = ctypes.CDLL(None, use_errno=True)


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


def called(code: int, what: str) -> None:
    """Raises OSError for a system call that failed."""
    if code != 0:
        raise OSError(ctypes.get_errno(), what)


def enter_subnet(netns: str) -> None:
    """Move to a network namespace, given by its file."""
    descriptor = os.open(netns, os.O_RDONLY)
    called(libc.setns(descriptor, CLONE_NEWNET), f"cannot enter {netns}")
    os.close(descriptor)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2). Raises OSError."""
    words = [word.encode() or None for word in (source, target, kind)]
    code = libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None)
    called(code, f"cannot mount {target}")


def memory(target: str, size_bytes: int, mode: str = "1777") -> None:
    """A folder in memory over `target`, in the size that it may have; an inode for each 4 kB."""
    options = f"mode={mode},size={size_bytes},nr_inodes={max(1024, size_bytes >> 12)}"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def enter_view(view: dict) -> None:  # type: ignore[type-arg]
    """See one release only, besides the machine's programs: own mounts, own /tmp, own processes."""
    called(libc.unshare(CLONE_NEWNS), "cannot have mounts of our own")
    mount("", "/", "", MS_REC | MS_PRIVATE)
    copied = {path: _bytes(path) for path in view["copied"]}
    if view["root"]:
        enter_image(view)
    else:
        enter_release(view)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2")
    memory("/dev/shm", view["shared_memory_bytes"])
    for path, content in {**copied, **_texts(view)}.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def enter_release(view: dict) -> None:  # type: ignore[type-arg]
    """Cover what holds other releases, sockets and settings; put what is ours back in its place."""
    kept = {path: os.open(path, os.O_PATH) for path in view["kept"]}
    users = f"{_bytes('/etc/passwd').decode()}app:x:{view['user']}:{view['user']}::/tmp:/bin/sh\n"
    for target in ("/tmp", "/var/tmp"):
        memory(target, view["tmp_bytes"])
    for hidden in view["hidden"]:
        if os.path.isdir(hidden):
            memory(hidden, 1 << 20, "755")
    for path, descriptor in kept.items():
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", path, "", MS_BIND)
        mount("", path, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    with open(f"{view['own']}/passwd", "w") as file:
        file.write(users)
    mount(f"{view['own']}/passwd", "/etc/passwd", "", MS_BIND)


def enter_image(view: dict) -> None:  # type: ignore[type-arg]
    """See an image's files only, with a layer of our own in memory above them.

    What is made in it is made after the root has changed: links in an image lead nowhere else.
    """
    devices, image = os.open("/dev", os.O_PATH), os.open(view["root"], os.O_PATH)
    memory("/tmp", view["tmp_bytes"])
    for name in ("upper", "work", "root"):
        os.mkdir(f"/tmp/{name}")
    layers = f"lowerdir=/proc/self/fd/{image},upperdir=/tmp/upper,workdir=/tmp/work"
    mount("overlay", "/tmp/root", "overlay", MS_NOSUID | MS_NODEV, layers)
    processes = os.open("/proc", os.O_PATH)
    os.chroot("/tmp/root")
    os.chdir("/")
    for name in ("proc", "dev", "tmp", "run", "etc"):
        os.makedirs(f"/{name}", exist_ok=True)
    os.fchdir(processes)  # names of descriptors, from outside of the new root
    mount(f"self/fd/{devices}", "/dev", "", MS_BIND | MS_REC)
    os.chdir("/")
    for target in ("/tmp", "/run"):
        memory(target, view["tmp_bytes"])


def _texts(view: dict) -> dict:  # type: ignore[type-arg]
    """Names and name servers, which an image does not have."""
    return {path: text.encode() for path, text in view["texts"].items()} if view["root"] else {}


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def enter_limits(cgroups: list[str], limits: dict) -> None:  # type: ignore[type-arg]
    """Join the cgroups, given by their cgroup.procs files, and take resource limits, such as `nofile`."""
    for path in cgroups:
        with contextlib.suppress(OSError), open(path, "w") as file:
            file.write("0")
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name.upper()}")
        most = resource.getrlimit(number)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(number, (value, value))


def drop_to(user: int | None, groups: list[int], kept: list[str]) -> None:
    """Become an unprivileged user for good, who may do what is in `kept` and nothing else."""
    numbers = [CAPABILITIES[name] for name in kept]
    if user is not None:
        for number in set(range(CAPABILITIES_MOST)) - set(numbers):
            libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # one that the kernel does not know fails
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups(groups)
        os.setgid(user)
        os.setuid(user)
        keep_only(numbers)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def keep_only(numbers: list[int]) -> None:
    """Have these capabilities, in the programs that we become too, and no other."""
    mask = sum(1 << number for number in numbers)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    called(libc.capset(header, data), "cannot drop capabilities")
    for number in numbers:
        called(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0), "cannot keep one")


class Filter(ctypes.Structure):
    """A seccomp filter, as prctl(2) takes it: how many instructions of eight bytes, and where."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def enter_filter(text: str) -> None:
    """Take a filter of system calls, in hexadecimal digits; an empty one is none. For good."""
    if text:
        code = bytes.fromhex(text)
        kept = ctypes.create_string_buffer(code, len(code))
        made = Filter(len(code) // 8, ctypes.cast(kept, ctypes.c_char_p))
        called(
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(made), 0, 0), "no filter"
        )


def log_to(path: str, user: int | None) -> None:
    """Send stdout and stderr to a file: a frozen supervisor never stalls the program.

    The file is the user's, because some programs open /dev/stderr anew; its folder is ours.
    """
    if path:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o640)
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


def enter(spec: dict) -> None:  # type: ignore[type-arg]
    """Limits, subnet, view, user, filter: each takes away what the one before needs."""
    enter_limits(spec["cgroups"], spec["limits"])
    if spec["netns"]:
        enter_subnet(spec["netns"])
    if spec["view"]:
        enter_view(spec["view"])
    if not spec["keep_privileges"]:
        drop_to(spec["user"], spec["groups"], spec["capabilities"])
        enter_filter(spec["filter"])


def main() -> None:
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    log_to(spec["log"], spec["user"])
    if spec["backoff"]:
        wait_out(spec["backoff"])
    note(spec["note"], spec["part"])
    enter(spec)
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
