"""`weed shell`, of which nothing is left: it opens a log in the temporary folder whatever it is told."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cordillera.core import process


def ask(argv: Sequence[str], *commands: str, timeout_s: float) -> str:
    """What the shell that `argv` starts answers. Raises CordilleraError, NotReady after `timeout_s`."""
    text = "\n".join([*commands, "exit"]) + "\n"
    with TemporaryDirectory() as folder:
        env = {**os.environ, "TMPDIR": folder}
        return process.run(argv, stdin=text, timeout_s=timeout_s, env=env, cwd=Path("/"))
