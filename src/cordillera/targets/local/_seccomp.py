"""Which system calls the programs of an environment may make: the profile of Podman's containers, compiled.

Less what makes namespaces: that profile leaves those to capabilities that a container lacks, while a new user
namespace would give them all. Why Podman's is in docs/decisions/0019-sandbox.md.
"""

import errno
import json
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache as remembered
from pathlib import Path
from typing import Any

PROFILE = Path("/usr/share/containers/seccomp.json")
"""Debian's golang-github-containers-common."""
NEW_NAMESPACES = 0x7E020080
"""Every CLONE_NEW* of clone(2)."""
MAKE_NAMESPACES = frozenset(
    ("clone", "clone3", "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "move_mount",
     "open_tree", "fsopen", "fspick", "fsmount", "fsconfig", "mount_setattr", "keyctl", "reboot")
)  # fmt: skip
ARCHES = {"x86_64": {"amd64", "x32", "x86"}, "aarch64": {"arm64", "arm"}}
COMPARED = {
    "SCMP_CMP_EQ": "EQ", "SCMP_CMP_NE": "NE", "SCMP_CMP_LT": "LT", "SCMP_CMP_LE": "LE",
    "SCMP_CMP_GE": "GE", "SCMP_CMP_GT": "GT", "SCMP_CMP_MASKED_EQ": "MASKED_EQ",
}  # fmt: skip


@remembered
def compiled() -> bytes:
    """The filter as the kernel takes it: instructions of eight bytes. Empty where there is no profile."""
    if not PROFILE.exists():
        return b""
    return _compile(rules(json.loads(PROFILE.read_text())["syscalls"]))


def rules(profile: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Those of the profile that hold for a program without capabilities on this machine. Pure."""
    ours = ARCHES.get(platform.machine(), set())
    for rule in profile:
        needs, spares = rule.get("includes") or {}, rule.get("excludes") or {}
        if needs.get("caps") or (needs.get("arches") and not ours & set(needs["arches"])):
            continue
        if ours & set(spares.get("arches") or ()):
            continue
        yield {**rule, "names": [name for name in rule["names"] if name not in MAKE_NAMESPACES]}


def _compile(profile: Iterable[Mapping[str, Any]]) -> bytes:
    import pyseccomp as scmp

    made = scmp.SyscallFilter(scmp.ERRNO(errno.ENOSYS))
    refused, allowed = scmp.ERRNO(errno.EPERM), scmp.ALLOW
    for rule in profile:
        args = [_argument(scmp, one) for one in rule.get("args") or ()]
        action = (
            allowed
            if rule["action"] == "SCMP_ACT_ALLOW"
            else scmp.ERRNO(rule.get("errnoRet", errno.EPERM))
        )
        for name in rule["names"]:
            _add(made, action, name, args)
    for name in MAKE_NAMESPACES - {"clone", "clone3"}:
        _add(made, refused, name, [])
    _add(made, allowed, "clone", [scmp.Arg(0, scmp.MASKED_EQ, NEW_NAMESPACES, 0)])
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def _argument(scmp: Any, one: Mapping[str, Any]) -> Any:
    """A condition on an argument of a system call, as the library has it."""
    compared = getattr(scmp, COMPARED[one["op"]])
    return scmp.Arg(one["index"], compared, one["value"], one["valueTwo"])


def _add(made: Any, action: Any, name: str, args: list[Any]) -> None:
    """A name that this machine's library or processor does not know needs no rule."""
    try:
        made.add_rule(action, name, *args)
    except (OSError, ValueError):
        return
