"""What `up` ends with: the address, how to log in, how to trust it, what to try next."""

import os
import shutil
import socket
import sys
from pathlib import Path

from cordillera.cli import context, render
from cordillera.components.state import EnvironmentState
from cordillera.components.target import Target
from cordillera.components.wanted import Wanted


def show(
    target: Target, want: Wanted, state: EnvironmentState, *, seconds: float, changed: int
) -> None:
    """Print it; with `--quiet` only the address."""
    if context.options.quiet:
        print(state.url)
        return
    what = f"{changed} changes in {seconds:.1f} s" if changed else "nothing to change"
    verdict = "[green]healthy[/]" if state.healthy else "[red]not healthy yet[/]"
    render.say(f"\n[bold]{want.environment}[/] is up ({what}), {verdict}\n")
    if not state.healthy:
        render.console().print(f"  {state.trouble}\n", markup=False)
    for label, text in _lines(target, want, state):
        render.console().print(f"  [dim]{label:<9}[/] ", end="")
        render.console().print(text, markup=False, soft_wrap=True)


def _lines(target: Target, want: Wanted, state: EnvironmentState) -> list[tuple[str, str]]:
    me = f"{_me()} --env {want.environment}"
    lines = []
    if state.url:
        lines.append(("address", state.url))
        lines += _remote(state.url)
        lines += _trust(target, want, state.url)
    for service in want.services.values():
        for secret in service.secrets:
            if "PASSWORD" in secret.name:
                user = service.environment.get(secret.name.replace("PASSWORD", "USER"), "")
                name = f"{user}, with the password of: " if user else ""
                lines.append(("login", f"{name}{me} secrets get {secret.name}"))
    lines.append(("next", f"{me} status --watch"))
    lines.append(("", f"{me} logs -f"))
    if any(want.of_type("mail")):
        lines.append(("", f"{me} mail"))
    return list(dict.fromkeys(lines))


def _trust(target: Target, want: Wanted, url: str) -> list[tuple[str, str]]:
    """How to trust an authority of our own; nothing where everybody trusts the certificate."""
    file = target.verbs.certificate_file(want.environment)
    if file is None:
        return []
    return [("trust", f"import {file} into your browser, or: curl --cacert {file} {url}/")]


def _remote(url: str) -> list[tuple[str, str]]:
    """How to reach a loopback address from another machine."""
    if "//localhost" not in url:
        return []
    port = url.rpartition(":")[2]
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or "root"
    line = f"ssh -L {port}:127.0.0.1:{port} {user}@{socket.gethostname()}   (or: --listen 0.0.0.0:{port})"
    return [("elsewhere", line)]


def _me() -> str:
    """How this very command is called again: by its path where it is not on PATH, with sudo if it was."""
    found = Path(sys.argv[0]).resolve()
    on_path = shutil.which("cordillera")
    if on_path and Path(on_path).resolve() == found:
        name = "cordillera"
    else:
        near = found.is_relative_to(Path.cwd())
        name = str(found.relative_to(Path.cwd()) if near else found)
    return f"sudo {name}" if os.environ.get("SUDO_USER") else name
