"""What this machine remembers of environments in AWS: what was asked for, and the last templates.

The account is the truth. This is for planning without it, and for commands outside the app's folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core import files
from cordillera.core.errors import CordilleraError
from cordillera.core.home import roots

FOLDER = ".aws"


def folder(environment: str) -> Path:
    """Where an environment's memory lies; hidden, so that `local` does not take it for its own."""
    return roots()[0] / FOLDER / environment


def environments() -> list[str]:
    """Names of the environments that this machine has heard of, sorted."""
    found = (roots()[0] / FOLDER).glob("*/*/wanted.json")
    return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in found)


def save_wanted(want: Wanted) -> None:
    """Keep what is asked for, so that `status` works from any folder."""
    from pydantic import TypeAdapter

    text = TypeAdapter(Wanted).dump_json(want, by_alias=True).decode()
    files.write(folder(want.environment) / "wanted.json", text, mode=0o600)


def wanted(environment: str) -> Wanted:
    """What was asked for. Raises CordilleraError when this machine has not heard of it."""
    from pydantic import TypeAdapter

    path = folder(environment) / "wanted.json"
    if not path.exists():
        raise CordilleraError(
            f"this machine knows no environment called {environment}",
            hint="run the command in the app's folder, where the manifest names it",
        )
    made: Wanted = TypeAdapter(Wanted).validate_json(path.read_text())
    return made


def save_template(environment: str, unit: str, body: Mapping[str, Any]) -> None:
    """Remember a template that was applied."""
    files.write_json(folder(environment) / "templates" / f"{unit}.json", body)


def templates(environment: str) -> dict[str, dict[str, Any]]:
    """Unit -> the template that was applied last from here."""
    found = (folder(environment) / "templates").glob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in sorted(found)}


def drop_template(environment: str, unit: str) -> None:
    """Forget a stack that is gone."""
    (folder(environment) / "templates" / f"{unit}.json").unlink(missing_ok=True)


def forget(environment: str) -> None:
    """Forget an environment that is gone."""
    import shutil

    shutil.rmtree(folder(environment), ignore_errors=True)
