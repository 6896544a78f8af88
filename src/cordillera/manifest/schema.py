"""The JSON Schema of the manifest: for editors, and for checks outside of Cordillera.

`python -m cordillera.manifest.schema FILE` writes it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cordillera.components.base import Section
from cordillera.manifest.meanings import meanings
from cordillera.manifest.model import Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = (
    "https://raw.githubusercontent.com/cordillera-cloud/cordillera/main/"
    "src/cordillera/manifest/cordillera.schema.json"
)
FILE = Path(__file__).parent / "cordillera.schema.json"


def schema() -> dict[str, Any]:
    """The schema of what the loader reads, shorthands included."""
    made = _closed(_told(Manifest.model_json_schema(by_alias=True)))
    return {"$schema": DIALECT, "$id": ADDRESS, **made, "title": "cordillera.yaml"}


def _told(made: dict[str, Any]) -> dict[str, Any]:
    """The same with the meaning of every key, unless the section that it holds says just that."""
    drawn = {"Manifest": made, **made["$defs"]}
    for section in below(Section):
        for key, meaning in meanings(section).items() if section.__name__ in drawn else ():
            node = drawn[section.__name__]["properties"][key]
            held = drawn.get(str(node.get("$ref", "")).rpartition("/")[2], {})
            node |= {} if held.get("description") == meaning else {"description": meaning}
    return made


def below(section: type[Section]) -> Iterator[type[Section]]:
    """All sections made from one."""
    for one in section.__subclasses__():
        yield one
        yield from below(one)


def _closed(node: Any) -> Any:
    """Mappings whose names follow a pattern take no other names."""
    if isinstance(node, dict):
        named = {"additionalProperties": False} if "patternProperties" in node else {}
        return {key: _closed(value) for key, value in node.items()} | named
    return [_closed(one) for one in node] if isinstance(node, list) else node


def text() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
