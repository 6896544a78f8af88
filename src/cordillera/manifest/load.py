"""Reading a manifest: everything that is wrong is told at once, with file, line and column."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError
from cordillera.manifest import problems, references, resolve
from cordillera.manifest.model import App, Manifest
from cordillera.manifest.source import Keys, Source, read


def load(path: Path, extra: Sequence[Path] = ()) -> Manifest:
    """The manifest of `path`, with the environments of the files `extra` added.

    Raises ManifestError (ManifestErrors for several findings); nothing else.
    """
    source = read(path)
    manifest = _validated(source)
    for other in extra:
        manifest = _with_environment(manifest, read(other))
    found = list(_across(manifest, source))
    if found:
        raise problems.ManifestErrors(found)
    return manifest


def _validated(source: Source) -> Manifest:
    try:
        return Manifest.model_validate(source.data)
    except ValidationError as e:
        raise problems.ManifestErrors(list(_told(e, source))) from None


def _told(error: ValidationError, source: Source, prefix: Keys = ()) -> Iterator[ManifestError]:
    for detail in error.errors():
        message, hint = problems.sentence(detail)
        yield ManifestError(message, hint=hint, where=_where(source, prefix, detail["loc"]))


def _where(source: Source, prefix: Keys, keys: Sequence[Any]) -> str:
    """The place of a finding: in the overlay when that is where it was written."""
    plain = _without_tags(source.data, keys)
    overlay = (*prefix, *plain)
    return source.where(
        overlay if prefix and source.has(overlay) else plain if source.has(plain) else overlay
    )


def _without_tags(data: Any, keys: Sequence[Any]) -> Keys:
    """The keys that were really written: pydantic adds the tags of unions."""
    way: list[str | int] = []
    for index, key in enumerate(keys):
        inside = (isinstance(data, dict) and key in data) or (
            isinstance(data, list) and isinstance(key, int)
        )
        last = index == len(keys) - 1
        if inside or (last and key != "[key]" and not isinstance(data, dict)):
            way.append(key)
            data = data[key] if inside else None
    return tuple(way)


def _with_environment(manifest: Manifest, source: Source) -> Manifest:
    """Add a file that holds `environments` only."""
    for key in source.data:
        if key != "environments":
            raise ManifestError(
                f"{key} does not belong into an environment's file",
                where=source.where((key,)),
                hint="only `environments` does",
            )
    for name, spec in (source.data.get("environments") or {}).items():
        if name in manifest.environments:
            raise ManifestError(
                f"environment {name} is there twice",
                hint="keep one of them",
                where=source.where(("environments", name)),
            )
        try:
            one = Manifest.model_validate(
                {**manifest.model_dump(by_alias=True), "environments": {name: spec}}
            )
        except ValidationError as e:
            raise problems.ManifestErrors(list(_told(e, source))) from None
        added = {**manifest.environments, **one.environments}
        manifest = manifest.model_copy(update={"environments": added})
        list(_overlaid(manifest, name, source))
    return manifest


def _across(manifest: Manifest, source: Source) -> Iterator[ManifestError]:
    """What single keys cannot tell: names that clash or dangle, and what overlays lead to."""
    for name in manifest.services:
        if name in manifest.resources:
            yield ManifestError(
                f"{name} is both a service and a resource",
                hint="rename one of them",
                where=source.where(("resources", name)),
            )
    if not manifest.environments:
        yield from _dangling(resolve.base(manifest, Path()), source, ())
    for environment in manifest.environments:
        yield from _overlaid(manifest, environment, source)


def _overlaid(manifest: Manifest, environment: str, source: Source) -> Iterator[ManifestError]:
    prefix = ("environments", environment)
    try:
        App.model_validate(resolve.merged(manifest, environment))
    except ValidationError as e:
        yield from _told(e, source, prefix)
        return
    yield from _dangling(resolve.wanted(manifest, environment, Path()), source, prefix)


def _dangling(want: Wanted, source: Source, prefix: Keys) -> Iterator[ManifestError]:
    for name, spec in want.services.items():
        for index, resource in enumerate(spec.resources):
            if resource not in want.resources:
                yield ManifestError(
                    f"service {name} uses {resource}, and there is no resource of that name",
                    hint=problems.did_you_mean(resource, want.resources),
                    where=_where(source, prefix, ("services", name, "resources", index)),
                )
        for variable, wrong, known in references.problems(name, spec, want):
            yield ManifestError(
                wrong,
                hint=f"known: {known}" if known else "",
                where=_where(source, prefix, ("services", name, "environment", variable)),
            )
