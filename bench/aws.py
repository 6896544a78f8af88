"""Measures the target `aws` without an account, and writes bench/aws.md.

Plan of one environment in a cold process and of a thousand in one, the linter, a whole apply to an emulator,
and what the newsroom example costs beside the plain reference architecture. Baseline of the same run: an
empty Python process. Nothing here touches the real AWS.

    .venv/bin/python bench/aws.py
"""

import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
CORDILLERA = ROOT / ".venv/bin/cordillera"
APP, ENVIRONMENT = "newsroom", "acme/production"
MANY, WORKERS, SAMPLE = 1000, 2, 100
TIMES = 5
LOOK_EVERY_S = 0.002
WORLD = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""As it is installed: a first run, or pip, has compiled the modules."""


@dataclass(frozen=True)
class Run:
    """One cold process: seconds by the clock and of the processor, peak memory in MB, what it printed."""

    seconds: float
    cpu_s: float
    mb: float
    text: str


def measured(argv: list[str], **variables: str) -> Run:
    """Run a command once."""
    with tempfile.TemporaryFile("w+") as out:
        began, peak_kb, done = time.monotonic(), 0, 0
        child = subprocess.Popen(argv, env={**WORLD, **variables}, stdout=out)
        while not done:
            peak_kb = max(peak_kb, _peak_kb(child.pid))
            done, status, used = os.wait4(child.pid, os.WNOHANG)
            time.sleep(0 if done else LOOK_EVERY_S)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, argv
        out.seek(0)
        return Run(seconds, used.ru_utime + used.ru_stime, peak_kb / 1024, out.read())


def _peak_kb(pid: int) -> int:
    """The kernel's own high-water mark of the process. (What wait4 tells counts the parent's too.)"""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def best(argv: list[str], **variables: str) -> Run:
    """The quickest of some runs, after one that warms the disk."""
    measured(argv, **variables)
    return min((measured(argv, **variables) for _ in range(TIMES)), key=lambda one: one.seconds)


def many(first: int) -> None:
    """Plan every second of the thousand, bill included; print the memory along the way."""
    from tests.targets.aws import examples

    from cordillera.targets.aws import _bill, _draft, _rows
    from cordillera.targets.aws._site import site_of

    with tempfile.TemporaryDirectory() as place:
        want = examples.wanted(APP, Path(place))
        sizes = []
        for number in range(first, MANY, WORKERS):
            one = replace(want, environment=f"customer{number}/production")
            draft = _draft.draft(one, site_of(one))
            _draft.offline(draft, {})
            assert draft.touched
            assert all(draft.templates[unit].digest for unit in draft.order)
            assert list(_bill.items_of(_rows.rows(draft.parts, draft.site)))
            if number % SAMPLE == first:
                sizes.append(round(_resident_mb(), 1))
    print(json.dumps(sizes))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def thousand() -> tuple[float, float, float, float]:
    """(seconds, CPU seconds, MB after the first hundred, MB at the end), on two processes."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = [sys.executable, __file__, "many"]
    running = [
        subprocess.Popen([*argv, str(n)], stdout=subprocess.PIPE, text=True) for n in range(WORKERS)
    ]
    found = [json.loads(one.communicate()[0]) for one in running]
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu_s, max(s[1] for s in found), max(s[-1] for s in found)


def linted() -> tuple[float, int]:
    """(seconds, findings) of cfn-lint on all golden templates."""
    files = [str(path) for path in sorted((ROOT / "tests/targets/aws/golden").rglob("*.json"))]
    began = time.monotonic()
    argv = [
        str(ROOT / ".venv/bin/cfn-lint"),
        "--format",
        "json",
        "--regions",
        "us-east-1",
        "--",
        *files,
    ]
    done = subprocess.run(argv, capture_output=True, text=True)
    return time.monotonic() - began, len(json.loads(done.stdout or "[]"))


def applied() -> tuple[float, int]:
    """(seconds, changes) of `up` of the newsroom, images given, in an emulator that is up."""
    from tests.targets.aws import emulator, examples

    from cordillera.components.protocol import Place
    from cordillera.core.clock import SystemClock
    from cordillera.operations import provision
    from cordillera.targets.aws import _database_user, _linked_roles, _stack
    from cordillera.targets.aws._engine import AwsEngine
    from cordillera.targets.aws._live import Live
    from cordillera.targets.aws._site import site_of

    def unmade(resource: str, live: Any) -> None:
        """No emulator keeps a master's password: the app's user of a database is not made."""

    _database_user.make = unmade
    _stack.templates = emulator.stripping(_stack.templates)
    with tempfile.TemporaryDirectory() as place, emulator.ministack(Path(place)) as address:
        os.environ.update(emulator.credentials(address), CORDILLERA_HOME=f"{place}/home")
        service = {"image": "newsroom:1", "build": None, "release": None}
        services = {"web": service, "worker": {"image": "newsroom:1", "build": None}}
        want = examples.wanted(APP, Path(place), services=services, edge={"domains": []})
        _linked_roles.SETTLES_S = 0.0  # an account has these roles since its first environment
        _linked_roles.make(_linked_roles.BY_TYPE.values(), Live(site_of(want)))
        began, engine = time.monotonic(), AwsEngine()
        plan = engine.plan(want, Place(want.environment, want.region))
        provision.apply(engine, plan, lambda _: None, clock=SystemClock(), token="bench-1")
        return time.monotonic() - began, len(plan.changes)


def compared(bill: dict[str, Any]) -> list[str]:
    """The lines about the cost, item by item."""
    found = bill["compared"]
    lines = [
        "\n## What the newsroom costs a month, at rest\n",
        f"List prices of us-east-1, {bill['as_of']}. {bill['prices']}.\n",
        f"The cheapest that stays highly available: **{found['cheapest_usd']:.0f} USD**, "
        f"**{100 * found['below']:.0f} %** below the plain reference architecture "
        f"({found['plain_usd']:.0f} USD); the goal is 25 %.",
    ]
    if found["not_built"]:
        lines.append(
            "\nNot built by this version yet, and on both sides all the same: "
            f"{', '.join(found['not_built'])}."
        )
    for title, key in (("Plain reference", "plain"), ("Cheapest, highly available", "cheapest")):
        lines += [f"\n| {title} | what | USD | assumes |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {i['component']} {i['name']} | {i['what']} | "
            f"{'not priced' if i['usd'] is None else format(i['usd'], '.2f')} | {i['assumes']} |"
            for i in found[key]
        ]
    lines += ["\n| cheaper choice | in the manifest | saves, USD |", "| --- | --- | --- |"]
    lines += [f"| {c['what']} | `{c['how']}` | {c['saves_usd']:.2f} |" for c in bill["cheaper"]]
    return lines


def versions() -> str:
    """Date, machine and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("troposphere", "boto3", "cfn-lint")
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"Linux {platform.release()}, Python {platform.python_version()}, {packages}"
    )


def main() -> None:
    """Measure and write."""
    from tests.targets.aws import examples

    empty = best([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as place:
        file = str(examples.app_folder(APP, Path(place)) / "cordillera.yaml")
        plan = [str(CORDILLERA), "--file", file, "plan", ENVIRONMENT, "--offline", "--json"]
        one = best(plan, CORDILLERA_HOME=f"{place}/home")
    found = json.loads(one.text)
    many_s, many_cpu_s, early_mb, late_mb = thousand()
    lint_s, findings = linted()
    apply_s, changes = applied()
    rows = [
        (
            f"plan of one environment ({len(found['resources'])} resources, bill included), cold process",
            f"{one.seconds:.2f} s ({one.cpu_s:.2f} CPU s), {one.mb:.0f} MB",
            "< 1 s, < 100 MB",
            f"{one.cpu_s / empty.cpu_s:.0f} × the CPU, {one.mb / empty.mb:.1f} × the memory",
        ),
        (
            f"plan of {MANY:,} environments, bill included, {WORKERS} processes",
            f"{many_s:.1f} s ({many_cpu_s:.1f} CPU s); {early_mb:.0f} MB each after {SAMPLE}, "
            f"{late_mb:.0f} MB at the end",
            "< 60 s, memory flat",
            f"{many_cpu_s / empty.cpu_s:.0f} × the CPU",
        ),
        ("cfn-lint on all golden templates", f"{findings} findings, {lint_s:.1f} s", "0", ""),
        (
            f"`up` to the emulator, {changes} changes through change sets",
            f"{apply_s:.1f} s",
            "< 15 s",
            f"{apply_s / empty.seconds:.0f} × the time",
        ),
    ]
    lines = [
        "# The target aws, measured without an account\n",
        f"{versions()}. Written by `make bench`; nothing here touched the real AWS.\n",
        f"An empty Python process: {empty.seconds:.3f} s, {empty.cpu_s:.3f} CPU s, {empty.mb:.0f} MB.\n",
        "| what | figure | goal | against an empty Python |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
        *compared(found["bill"]),
    ]
    page = "\n".join(lines) + "\n"
    (ROOT / "bench/aws.md").write_text(page)
    print(page)


if __name__ == "__main__":
    if sys.argv[1:2] == ["many"]:
        many(int(sys.argv[2]))
    else:
        main()
