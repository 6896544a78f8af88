"""`${...}` in the manifest: what may be referred to, and how it is filled in.

`${resources.NAME.FIELD}`, `${services.NAME.url|host|port}`, `${environment.NAME}` (another variable of
the same service), `${secrets.NAME}`. `$$` is a dollar. Commands are the shell's: `$PORT` is left alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted

REFERENCE = re.compile(r"\$(?:\$|\{([^}]*)\})")
SERVICE_FIELDS = ("url", "host", "port")
RESOURCE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "database": (
        "host",
        "port",
        "username",
        "password",
        "name",
        "url",
        "reader_host",
        "reader_port",
    ),
    "cache": ("host", "port", "password", "url"),
    "search": ("host", "port", "username", "password", "url"),
    "objects": ("bucket", "endpoint", "host", "port", "access_key", "secret_key"),
    "queue": ("url", "name", "host", "port"),
    "mail": ("host", "port", "from"),
}


def resolve(text: str, lookup: Callable[[str], str]) -> str:
    """Fill in every reference of `text`; `lookup` gets what stands in the braces."""
    return REFERENCE.sub(lambda found: "$" if found[1] is None else lookup(found[1].strip()), text)


def of(text: str) -> Iterator[str]:
    """What a text refers to, in order."""
    return (found[1].strip() for found in REFERENCE.finditer(text) if found[1] is not None)


def problems(name: str, spec: ServiceSpec, want: Wanted) -> Iterator[tuple[str, str, str]]:
    """(variable, what is wrong, candidates joined by commas) for a service's environment."""
    for variable, value in spec.environment.items():
        for reference in of(value):
            wrong, known = _problem(reference, spec, want)
            if wrong:
                yield variable, wrong, known
    cycle = _cycle(spec.environment)
    if cycle:
        yield (
            cycle[0],
            f"services.{name}.environment goes round in a circle: {' -> '.join(cycle)}",
            "",
        )


def _problem(reference: str, spec: ServiceSpec, want: Wanted) -> tuple[str, str]:
    kind, _, rest = reference.partition(".")
    owner, _, field = rest.partition(".")
    if kind == "environment":
        return _missing(reference, rest, spec.environment)
    if kind == "secrets":
        return _missing(reference, rest, [s.name for s in spec.secrets])
    if kind == "services":
        return (
            _missing(reference, owner, want.services)
            if owner not in want.services
            else _missing(reference, field, SERVICE_FIELDS)
        )
    if kind == "resources":
        if owner not in want.resources:
            return _missing(reference, owner, want.resources)
        return _missing(reference, field, RESOURCE_FIELDS[want.resources[owner].type])
    return f"${{{reference}}} refers to nothing", "environment, resources, secrets, services"


def _missing(reference: str, name: str, known: object) -> tuple[str, str]:
    names = sorted(map(str, known))  # type: ignore[call-overload]
    return ("", "") if name in names else (f"${{{reference}}} refers to nothing", ", ".join(names))


def _cycle(environment: Mapping[str, str]) -> list[str]:
    """The variables of a circle, the first of them again at the end; empty when there is none."""
    edges = {
        name: [r.partition(".")[2] for r in of(value) if r.startswith("environment.")]
        for name, value in environment.items()
    }
    for start in edges:
        found = _path_back(start, start, edges, [start])
        if found:
            return found
    return []


def _path_back(at: str, goal: str, edges: Mapping[str, list[str]], way: list[str]) -> list[str]:
    for following in edges.get(at, []):
        if following == goal:
            return [*way, goal]
        if following not in way and (
            found := _path_back(following, goal, edges, [*way, following])
        ):
            return found
    return []
