"""docs/manifest.md, out of the model and its docstrings.

`python -m cordillera.manifest.reference FILE` writes it.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from cordillera.components.base import Section
from cordillera.manifest import references, words
from cordillera.manifest.meanings import meanings
from cordillera.manifest.model import Manifest

INTRODUCTION = """\
# The manifest

`cordillera.yaml` describes one app and the environments it runs in. This page is generated; the same
words are at hand in the terminal: `cordillera explain services.web.scale`.

```yaml
app: shop
services:
  web:
    build: {context: ., run: pip install -r requirements.txt}
    command: gunicorn shop.wsgi --bind $HOST:$PORT
    public: true
    health: /healthz
    resources: [db, cache]
    scale: {min: 2, max: 8}
    secrets: [{name: SECRET_KEY, generate: true}]
resources:
  db: {type: database}
  cache: {type: cache}
environments:
  acme/certification: {target: local}
  acme/production:
    target: aws
    services: {web: {scale: 4}}       # overlays: only what differs
```

Unknown keys, wrong units, impossible ranges and dangling names are refused with file, line and column,
before anything is touched. Spans are written `500ms`, `30s`, `5m`, `4h`, `10d`; sizes `64K`, `512M`, `1G`;
rates `10/s`, `600/m`; shares `60%`.

**Editors** complete and check the file with its JSON Schema: the first line that `cordillera init` writes
names it, for editors that run the YAML language server.

**Environments outside the app's folder.** Every file `environments/*.yaml` beside the manifest may hold
further `environments:`. `cordillera env create globex/production --target aws --region eu-central-1` writes
one: taking on a customer is no change to the app.

**Overlays.** Under an environment, `services`, `resources`, `network`, `edge`, `watch` and `recovery` are
laid over the rest of the file key by key; lists and plain values are replaced.
"""


def text() -> str:
    """The whole page."""
    pieces = [INTRODUCTION, _references()]
    seen: list[type[Section]] = []
    for title, section in _sections("", Manifest, seen):
        pieces.append(_table(title, section))
    return "\n".join(pieces)


def _references() -> str:
    rows = "\n".join(
        f"| {kind} | {', '.join(f'`{field}`' for field in fields)} |"
        for kind, fields in references.RESOURCE_FIELDS.items()
    )
    return (
        "## References\n\n`${resources.NAME.FIELD}` fills in a value of a resource wherever `environment` "
        "is written, `${services.NAME.url}` (or `.host`, `.port`) the address of another service, "
        "`${environment.NAME}` another variable of the same service, `${secrets.NAME}` a secret. "
        "`$$` is a dollar.\n\n| type | fields |\n| --- | --- |\n" + rows + "\n"
    )


def _sections(
    path: str, section: type[Section], seen: list[type[Section]]
) -> Iterator[tuple[str, type[Section]]]:
    """Every section once, at the path where it is met first."""
    if section in seen:
        return
    seen.append(section)
    yield path or "cordillera.yaml", section
    for name, field in words.keys(section):
        for below, inner in _inner(field.annotation, f"{path}.{name}".lstrip(".")):
            yield from _sections(below, inner, seen)


def _inner(annotation: Any, path: str) -> Iterator[tuple[str, type[Section]]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield path, annotation
        return
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is dict:
        yield from _inner(inside[1], f"{path}.NAME")
    elif inside:
        for one in inside:
            yield from _inner(one, path)


def _table(title: str, section: type[Section]) -> str:
    said = inspect.cleandoc(section.__doc__ or "")
    kind = next((f for n, f in words.keys(section) if n == "type"), None)
    heading = f"## {title}" + (f" ({words.kind(kind).strip('`')})" if kind else "")
    told = meanings(section)
    rows = [
        f"| `{name}` | {words.kind(field)}{_limits(field)} | {words.default(field)} "
        f"| {_cell(told[name])} |"
        for name, field in words.keys(section)
    ]
    head = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
    return f"{heading}\n\n{said}\n\n{head}" + "\n".join(rows) + "\n"


def _limits(field: Any) -> str:
    found = words.limits(field)
    return f"; {found}" if found else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
