"""Services: copies spread over the zones, each a supervised program of one release."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cordillera.components.service import ServiceSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CommandFailed, ManifestError
from cordillera.manifest import references
from cordillera.targets.local import _build, _copies, _image, _once, _release, _resources, _zone
from cordillera.targets.local._component import Component
from cordillera.targets.local._log import log_tail
from cordillera.targets.local._parts import LocalPart, Parts, Process, Task, part
from cordillera.targets.local._site import Site, Zone

OFFER = Offered(
    "images are unpacked by Docker or Podman and run by the zone, as an unprivileged user"
)

INTERNAL_PORT = 7000
RELEASE_WITHIN_S = 600.0


class Services(Component):
    """Builds, release commands and copies."""

    name = "service"

    def parts(self, want: Wanted, site: Site) -> Parts:
        made: list[LocalPart] = []
        for name, spec in want.services.items():
            made.extend(_service_parts(name, spec, want, replace(site, ports=_taken(site, made))))
        return made

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        name = task.args["service"]
        log = site.state / "logs" / f"{task.verb}-{name}.log"
        if task.verb == "build":
            _release.build(want.services[name], want.folder, task.args["release"], site, log)
        else:
            _run_release(name, want, site)

    def holds(self, task: Task, site: Site) -> bool:
        return task.verb != "build" or _release.complete(site, task.args["release"])


def with_releases(want: Wanted) -> Wanted:
    """The same, with each service's release named after what its folder holds now.

    One that knows its releases already keeps them: what came back after a boot is what ran before.

    Raises Refused for a service that this target cannot run.
    """
    if want.releases:
        return want
    for name, spec in want.services.items():
        _refuse_unless_offered(name, spec)
    releases = {name: _release.identity(spec, want.folder) for name, spec in want.services.items()}
    return replace(want, releases=releases)


def refuse_unset_secrets(want: Wanted, site: Site) -> None:
    """Raises ManifestError for the first secret that is neither set nor to be generated."""
    chosen = site.vault.chosen()
    for name, spec in want.services.items():
        for secret in spec.secrets:
            if not secret.generate and f"app/{secret.name}" not in chosen:
                raise ManifestError(
                    f"{want.environment}: service {name} needs the secret {secret.name}, which nobody set",
                    hint=f"cordillera --env {want.environment} secrets set {secret.name}"
                    f"   (or write `{{name: {secret.name}, generate: true}}`)",
                )


def internal_port(want: Wanted, service: str) -> int:
    """Where every zone offers that service to the others of the environment."""
    return INTERNAL_PORT + list(want.services).index(service)


def environment(name: str, want: Wanted, site: Site, zone: Zone, release: str) -> dict[str, str]:
    """What a service's commands receive in a zone, but PORT; secrets still as placeholders."""
    spec = want.services[name]
    values: dict[str, str] = {
        **({} if _copies.is_image(spec) else _release.variables(site, release)),
        "HOST": zone.private,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CORDILLERA_ENVIRONMENT": want.environment,
        "CORDILLERA_SERVICE": name,
        "CORDILLERA_ZONE": zone.name,
        "CORDILLERA_RELEASE": release,
        "CORDILLERA_URL": url(want, site),
        "CORDILLERA_CA_FILE": str(zone.run / _zone.CA_FILE),
    }
    for resource in spec.resources:
        values.update(_resources.variables(want, site, resource, zone))
    values.update({secret.name: f"${{secret:app/{secret.name}}}" for secret in spec.secrets})
    values.update(_own_variables(name, want, site, zone))
    return values


def url(want: Wanted, site: Site) -> str:
    """The published address."""
    host, _, port = site.listen.rpartition(":")
    shown = want.edge.domains[0] if want.edge.domains else host
    shown = "localhost" if shown in ("127.0.0.1", "0.0.0.0") else shown
    return f"https://{shown}" + ("" if port == "443" else f":{port}")


def _own_variables(name: str, want: Wanted, site: Site, zone: Zone) -> Mapping[str, str]:
    """The manifest's `environment`, references filled in."""
    spec = want.services[name]

    def look_up(reference: str) -> str:
        kind, _, rest = reference.partition(".")
        if kind == "secrets":
            return f"${{secret:app/{rest}}}"
        if kind == "environment":
            return references.resolve(spec.environment[rest], look_up)
        owner, _, wanted = rest.partition(".")
        if kind == "resources":
            return _resources.fields(want, site, owner, zone)[wanted]
        port = str(internal_port(want, owner))
        return {"host": zone.private, "port": port, "url": f"http://{zone.private}:{port}"}[wanted]

    return {key: references.resolve(value, look_up) for key, value in spec.environment.items()}


def _service_parts(name: str, spec: ServiceSpec, want: Wanted, site: Site) -> Iterator[LocalPart]:
    release = want.releases[name]
    digest = site.vault.digest
    built = Task("build", {"service": name, "release": release}, within_s=_build.WITHIN_S)
    yield part("service", f"build-{name}", f"build/{name}", built, digest)
    if spec.release:
        task = Task(
            "release",
            {"service": name, "release": release, "command": spec.release},
            within_s=RELEASE_WITHIN_S,
        )
        yield part("service", f"release-{name}", f"release/{name}", task, digest)
    yield from _copies.of(
        name, want, site, lambda zone: environment(name, want, site, zone, release)
    )


def _taken(site: Site, made: list[LocalPart]) -> Mapping[str, int]:
    fresh = {p.name: p.body.port for p in made if isinstance(p.body, Process) and p.body.port}
    return {**site.ports, **fresh}


def _refuse_unless_offered(name: str, spec: ServiceSpec) -> None:
    if _copies.is_image(spec):
        _image.refuse_unless_possible(name)


def _run_release(name: str, want: Wanted, site: Site) -> None:
    """The `release` command, in the first zone. Raises CommandFailed with the end of its output."""
    command = want.services[name].release or ""
    log = site.state / "logs" / f"release-{name}.log"
    code = _once.logged(
        name, ["/bin/sh", "-c", command], want, site, log, timeout_s=RELEASE_WITHIN_S
    )
    if code != 0:
        end = "".join(f"\n    release | {line}" for line in log_tail(log, 8))
        raise CommandFailed(
            f"the release command of {name} exited {code}: {command}{end}",
            hint=f"mend it and run `cordillera up` again; all of it is in {log}",
        )
