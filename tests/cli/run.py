"""The command as people run it: another process, its own folders."""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cordillera.cli import main, render

EXAMPLES = Path(__file__).parents[2] / "examples"
HELLO = (EXAMPLES / "hello/app.py").read_text()
MANIFEST = """\
app: hello
services:
  web:
    command: exec python3 app.py
    public: true
    health: {path: /healthz, start: 20s}
    scale: 2
    memory: 128M
environments:
  acme/test: {target: local}
"""


class Terminal(io.StringIO):
    """What a person looks at, or types into."""

    def isatty(self) -> bool:
        return True


@dataclass
class Shell:
    """Runs `cordillera` in `folder`; everything it makes lies under `home`."""

    folder: Path
    home: Path
    before: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    def argv(self, *words: str) -> list[str]:
        return [*self.before, sys.executable, "-m", "cordillera.cli.main", *words]

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("CORDILLERA_HOME", "CI")}
        return {**kept, "CORDILLERA_HOME": str(self.home), "COLUMNS": "200", **self.variables}

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The command's end: `returncode`, `stdout`, `stderr`."""
        return subprocess.run(
            self.argv(*words), cwd=self.folder, env=self.environment(), input=stdin,
            text=True, capture_output=True, timeout=180, check=False,
        )  # fmt: skip

    def here(self, *words: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """The same within this process: for what ends before it starts anything. `typed` is what a person
        at a terminal answers; without it nobody is there."""
        out, err = (io.StringIO() if typed is None else Terminal()), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            patch.delenv("CI", raising=False)
            patch.setattr(sys, "argv", ["cordillera", *words])
            patch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
            if typed is not None:
                patch.setenv("TERM", "xterm")
            render.console.cache_clear()
            with pytest.raises(SystemExit) as end:
                main.main()
        render.console.cache_clear()
        status = int(end.value.code or 0)
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command, running."""
        return subprocess.Popen(
            self.argv(*words), cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def manifest(self, text: str = MANIFEST) -> None:
        """Write the manifest."""
        (self.folder / "cordillera.yaml").write_text(text)

    def clean(self) -> None:
        """Destroy whatever is up, and remove the folders."""
        for path in list(self.home.glob("state/[a-z]*/*/intent.json")):
            name = "/".join(path.parts[-3:-1])
            self.run("--env", name, "destroy", "--yes-delete-data", name)
        shutil.rmtree(self.home, ignore_errors=True)


def free_address() -> str:
    """A published address that no other user's environment chooses meanwhile."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{made.getsockname()[1]}"


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """A shell in `folder`, with a home of its own; what it brought up is destroyed whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="crd"))
    home.chmod(0o711)
    made = Shell(folder, home)
    try:
        yield made
    finally:
        made.clean()
