"""YAML with its places: what was written, and the line and column of every key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cordillera.core.errors import ManifestError

Keys = tuple[str | int, ...]
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Source:
    """A file as data, and where each key of it stands."""

    path: Path
    data: dict[str, Any]
    places: Mapping[Keys, tuple[int, int]]

    def where(self, keys: Sequence[str | int]) -> str:
        """file:line:column of a key, else of the nearest key around it."""
        wanted = tuple(keys)
        while wanted and wanted not in self.places:
            wanted = wanted[:-1]
        line, column = self.places.get(wanted, (1, 1))
        return f"{self.path.name}:{line}:{column}"

    def has(self, keys: Sequence[str | int]) -> bool:
        """Whether that very key was written here."""
        return tuple(keys) in self.places


def read(path: Path) -> Source:
    """Read a file. Raises ManifestError for what is not YAML, not a mapping, or a key twice."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise ManifestError(
            f"there is no {path}", hint="run `cordillera init` to write one"
        ) from None
    except (OSError, UnicodeDecodeError) as e:
        raise ManifestError(f"{path} cannot be read: {e}") from e
    try:
        root = yaml.compose(text, Loader=LOADER)
        data = yaml.load(text, Loader=LOADER)  # noqa: S506  (a safe loader)
    except yaml.YAMLError as e:
        raise _not_yaml(e, path) from e
    if not isinstance(root, yaml.MappingNode):
        raise ManifestError(
            f"{path.name} is empty or not a mapping of keys",
            where=f"{path.name}:1:1",
            hint="begin with `app: NAME`; `cordillera init` writes a first one",
        )
    places: dict[Keys, tuple[int, int]] = {}
    _walk(root, (), places, path)
    return Source(path, data, places)


def _walk(node: Any, keys: Keys, places: dict[Keys, tuple[int, int]], path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*keys, str(key.value))
            mark = key.start_mark
            if here in places:
                first = places[here]
                raise ManifestError(
                    f"{key.value} is there twice; first in line {first[0]}",
                    where=f"{path.name}:{mark.line + 1}:{mark.column + 1}",
                    hint="keep one of them",
                )
            places[here] = (mark.line + 1, mark.column + 1)
            _walk(value, here, places, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            places[(*keys, index)] = (value.start_mark.line + 1, value.start_mark.column + 1)
            _walk(value, (*keys, index), places, path)


def _not_yaml(error: yaml.YAMLError, path: Path) -> ManifestError:
    mark = getattr(error, "problem_mark", None)
    where = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{path.name}:1:1"
    problem = getattr(error, "problem", None) or str(error)
    return ManifestError(
        f"this is not YAML: {problem}",
        where=where,
        hint="look at the indentation and the quotes on this line and the one before",
    )
