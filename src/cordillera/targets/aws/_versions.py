"""Which version of each secret copies began with, and which is current. No value is ever asked for.

A version's id is a parameter of the template: it stands in a label of the task definition and in dynamic
references, so that a changed secret is a change of the stack. A copy that starts takes the version that is
current then: one that was named could be deleted before the last copy has started.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from cordillera.components.protocol import Change
from cordillera.targets.aws import _differences
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Mixed, Ref, Secret, Text, Value, text
from cordillera.targets.aws._stack import Template

LABEL = "cordillera.secrets"
"""On a task definition: NAME=VERSION of each of its secrets."""
CURRENT = "AWSCURRENT"
ASKED_AT_ONCE = 8


def label(values: Iterable[Value]) -> dict[str, Text]:
    """The label of a task definition whose variables those are; none without secrets. Pure."""
    versions = {one.name: one.version for one in _secrets(values)}
    pieces: list[Any] = []
    for name, version in sorted(versions.items()):
        pieces += [f"{' ' if pieces else ''}{name}=", version]
    return {LABEL: text(*pieces)} if pieces else {}


def labelled(labels: Mapping[str, str]) -> dict[str, str]:
    """Secret -> its version, of a task definition with those labels. Pure."""
    return dict(word.split("=", 1) for word in labels.get(LABEL, "").split())


def stages(place: str, live: Live) -> dict[str, str]:
    """Stage -> id of the version that is in it; empty without such a secret.

    A list of all secrets would be one call, and may be five minutes late.
    """
    try:
        found = live.client("secretsmanager").describe_secret(SecretId=place)
    except AwsError as e:
        if e.code != "ResourceNotFoundException":
            raise
        return {}
    versions = found.get("VersionIdsToStages", {})
    return {stage: id for id, names in versions.items() for stage in names}


def current(
    template: Template, outputs: Mapping[str, Mapping[str, str]], live: Live
) -> dict[str, str]:
    """Parameter -> the version that is current; empty for a secret that is not there yet."""

    def version(place: str | Ref) -> str:
        name = outputs.get(place.unit, {}).get(place.output) if isinstance(place, Ref) else place
        return stages(name, live).get(CURRENT, "") if name else ""

    if not template.versions:
        return {}
    with ThreadPoolExecutor(max_workers=ASKED_AT_ONCE) as pool:
        found = pool.map(version, [one.place for one in template.versions.values()])
        return dict(zip(template.versions, found, strict=True))


def explained(
    changes: Iterable[Change], template: Template, moved: frozenset[str]
) -> Iterator[Change]:
    """The same changes; those that follow from other versions of secrets say so. Pure."""
    for change in changes:
        definition = template.body["Resources"].get(change.name, {})
        used = [name for name in sorted(moved) if _differences.uses(definition, name)]
        names = [template.versions[name].of for name in used]
        noun = "secret" if len(names) == 1 else "secrets"
        why = f"{change.why}; {noun} {', '.join(names)} changed" if names else change.why
        yield replace(change, why=why)


def _secrets(values: Iterable[Value]) -> Iterator[Secret]:
    for value in values:
        for piece in value.pieces if isinstance(value, Mixed) else (value,):
            if isinstance(piece, Secret):
                yield piece
