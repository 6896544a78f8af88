"""What a service receives: the app contract, its secrets, its own variables with references filled in."""

from collections.abc import Callable, Mapping

from cordillera.components.wanted import Wanted
from cordillera.manifest import references
from cordillera.targets.aws import _discovery, _mail_relay, _resources, balancer, secrets
from cordillera.targets.aws._refs import Value, joined
from cordillera.targets.aws._site import Site


def variables(name: str, want: Wanted, site: Site) -> dict[str, Value]:
    """Variable -> value, of one service."""
    spec = want.services[name]
    values: dict[str, Value] = {
        "PORT": str(spec.port),
        "HOST": "0.0.0.0",
        "PYTHONUNBUFFERED": "1",
        "CORDILLERA_ENVIRONMENT": want.environment,
        "CORDILLERA_SERVICE": name,
        "CORDILLERA_RELEASE": want.releases[name],
        "AWS_REGION": site.region,
        "OTEL_SERVICE_NAME": name,
    }
    if any(service.public for service in want.services.values()):
        values["CORDILLERA_URL"] = balancer.url(want)
    for resource in spec.resources:
        values.update(_resources.variables(want, site, resource))
    values.update({s.name: secrets.value(s.name, want, site) for s in spec.secrets})
    values.update(_mail_relay.variables(name, want, site))
    values.update(_own(name, want, site))
    return values


def alone(name: str, want: Wanted, site: Site) -> dict[str, str]:
    """Variables that a one-off command receives with another value: names of services that DNS knows."""
    together = _own(name, want, site)
    apart = _own(name, want, site, host=lambda service: _discovery.host(service, site))
    return {
        key: value
        for key, value in apart.items()
        if isinstance(value, str) and value != together[key]
    }


def _own(
    name: str, want: Wanted, site: Site, host: Callable[[str], str] = str
) -> Mapping[str, Value]:
    """The manifest's `environment`, references filled in."""
    spec = want.services[name]

    def look_up(reference: str) -> Value:
        kind, _, rest = reference.partition(".")
        if kind == "secrets":
            return secrets.value(rest, want, site)
        if kind == "environment":
            return filled(spec.environment[rest])
        owner, _, field = rest.partition(".")
        if kind == "resources":
            return _resources.fields(want, site, owner).get(field, "")
        port = str(want.services[owner].port)
        called = host(owner)
        return {"host": called, "port": port, "url": f"http://{called}:{port}"}[field]

    def filled(value: str) -> Value:
        return joined(*_pieces(value, look_up))

    return {key: filled(value) for key, value in spec.environment.items()}


def _pieces(value: str, look_up: Callable[[str], Value]) -> list[Value]:
    """Text between references, and what stands for each of them."""
    pieces, end = list[Value](), 0
    for found in references.REFERENCE.finditer(value):
        pieces.append(value[end : found.start()])
        pieces.append("$" if found[1] is None else look_up(found[1].strip()))
        end = found.end()
    return [*pieces, value[end:]]
