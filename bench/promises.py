"""Measures what the product promises on one machine, and writes bench/results.md.

Cold start of `hello` and `newsroom` (empty data folders, server packages present), memory (PSS) and
CPU at rest per component, `status`, a second `up`. Baseline of the same run: an empty Python process
for commands, and the app's own copies for memory.

    scripts/bench [SECONDS_AT_REST]
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORDILLERA = ROOT / ".venv/bin/cordillera"
SETTLE_S = 20.0


def command(home: Path, app: str, *words: str) -> float:
    """Run our CLI on an example; the seconds it took."""
    manifest = ROOT / "examples" / app / "cordillera.yaml"
    env = {**os.environ, "CORDILLERA_HOME": str(home)}
    began = time.monotonic()
    subprocess.run(
        [CORDILLERA, "--file", manifest, *words], env=env, check=True, capture_output=True
    )
    return time.monotonic() - began


def best_of(times: int, *argv: str | Path, env: dict[str, str] | None = None) -> float:
    """Seconds of the quickest of some runs."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        subprocess.run(argv, env=env, check=False, capture_output=True)
        found.append(time.monotonic() - began)
    return min(found)


def pss_bytes(pid: int) -> int:
    """Memory of a process, shared pages counted once among those who share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def at_rest(environment: str, seconds: float) -> dict[str, tuple[float, float]]:
    """Component -> (MB, percent of one core)."""
    from cordillera.targets.local import _found

    before = {f.pid: f.cpu_s for f in _found.scan(environment)}
    time.sleep(seconds)
    after = _found.scan(environment)
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for f in after:
        row = total[f.key.split("/")[0]]
        row[0] += pss_bytes(f.pid) / 2**20
        row[1] += 100 * (f.cpu_s - before.get(f.pid, f.cpu_s)) / seconds
    return {name: (row[0], row[1]) for name, row in sorted(total.items())}


def measure(app: str, seconds: float) -> list[str]:
    """The lines of the report about one example."""
    home = Path(tempfile.mkdtemp(prefix="crd"))
    home.chmod(0o711)
    os.environ["CORDILLERA_HOME"] = str(home)
    name = "acme/certification"
    try:
        cold_s = command(home, app, "up", name)
        again_s = command(home, app, "up", name)
        env = {**os.environ, "CORDILLERA_HOME": str(home)}
        status_s = best_of(5, CORDILLERA, "--env", name, "status", "--json", env=env)
        time.sleep(SETTLE_S)
        rows = at_rest(name, seconds)
        down_s = command(home, app, "down", name)
        back_s = command(home, app, "up", name)
    finally:
        command(home, app, "destroy", name, "--yes-delete-data", name)
        shutil.rmtree(home, ignore_errors=True)
    lines = [f"\n## {app}\n", "| what | figure |", "| --- | --- |"]
    lines += [
        f"| `up`, nothing there yet | {cold_s:.1f} s |",
        f"| `up` again, nothing to change | {again_s:.2f} s |",
        f"| `status --json`, best of 5 | {status_s:.2f} s |",
        f"| `down` | {down_s:.1f} s |",
        f"| `up` after `down` | {back_s:.1f} s |",
    ]
    lines += [
        "\n| component at rest | memory, MB (PSS) | CPU, % of one core |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {part} | {mb:.0f} | {cpu:.1f} |" for part, (mb, cpu) in rows.items()]
    memory, cpu = (sum(row[i] for row in rows.values()) for i in (0, 1))
    own = rows.get("service", (1.0, 0.0))[0]
    lines.append(
        f"| **all** | **{memory:.0f}** ({memory / own:.1f} × the app's own copies) | **{cpu:.1f}** |"
    )
    return lines


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def main() -> None:
    """Measure and write."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    plain_s = best_of(5, sys.executable, "-c", "pass")
    help_s = best_of(5, CORDILLERA, "--help")
    lines = ["# What was measured\n", f"{machine()}. Written by `make bench`.\n"]
    lines += ["| command | seconds, best of 5 | against an empty Python |", "| --- | --- | --- |"]
    lines += [f"| `cordillera --help` | {help_s:.2f} | {help_s / plain_s:.0f} × |"]
    for app in ("hello", "newsroom"):
        lines += measure(app, seconds)
    text = "\n".join(lines) + "\n"
    (ROOT / "bench/results.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
