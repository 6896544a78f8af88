"""The JSON Schema of the manifest: for editors, and for checks outside of Cordillera.

`python -m cordillera.manifest.schema FILE` writes it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cordillera.manifest.model import Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = (
    "https://raw.githubusercontent.com/cordillera-cloud/cordillera/main/"
    "src/cordillera/manifest/cordillera.schema.json"
)
FILE = Path(__file__).parent / "cordillera.schema.json"


def schema() -> dict[str, Any]:
    """The schema of what the loader reads, shorthands included."""
    made = _closed(Manifest.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, "$id": ADDRESS, **made, "title": "cordillera.yaml"}


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
