"""What an environment is like now, from probes of the real thing; nothing here raises for a sick one."""

from concurrent.futures import Future, ThreadPoolExecutor

from cordillera.components.state import (
    Copy,
    EnvironmentState,
    ResourceState,
    ServiceState,
    ZoneState,
)
from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError, ManifestError, NotReady
from cordillera.targets.local import (
    _behind,
    _entrance,
    _found,
    _haproxies,
    _intent,
    _ready,
    _resources,
    _supervisor,
    certificate,
    objects,
    service,
)
from cordillera.targets.local._component import Component
from cordillera.targets.local._found import Found
from cordillera.targets.local._parts import LocalPart, Process, is_spare
from cordillera.targets.local._public import public_service
from cordillera.targets.local._site import Site, Zone


def observe(environment: str) -> EnvironmentState:
    """Probe everything at once. Raises CordilleraError when there is no such environment."""
    intent = _intent.load(environment)
    want = _intent.load_wanted(environment)
    if intent is None or want is None:
        raise ManifestError(
            f"no environment called {environment} on this machine",
            hint="see `cordillera environments`",
        )
    site = _intent.site_of(intent)
    found = _found.scan(environment)
    with ThreadPoolExecutor(max_workers=16) as pool:
        resources = [
            pool.submit(_resource_states, component, want, site)
            for component in _resources.by_type().values()
            if any(want.of_type(component.name))
        ]
        copies = list(service.Services().parts(want, site))
        waiting = _waiting([*copies, *objects.Objects().parts(want, site)])
        zones = {z.name: pool.submit(_zone_state, site, z, found, waiting) for z in site.domains}
        services = {name: _service_state(name, copies, site, found, pool) for name in want.services}
        entrance = pool.submit(_entrance.look, want, site)
        states = {k: v for future in resources for k, v in future.result().items()}
        front = entrance.result()
        days_left = front.certificate_days_left
        return EnvironmentState(
            environment=environment,
            url=service.url(want, site) if public_service(want) else "",
            services=services,
            resources={name: states[name] for name in want.resources if name in states},
            zones={name: future.result() for name, future in zones.items()},
            certificate_days_left=certificate.days_left(site) if days_left is None else days_left,
            isolation=site.isolation.value,
            last_change=intent.changed,
            front_healthy=not front.trouble,
            front_detail=front.trouble or front.detail,
        )


def _waiting(parts: list[LocalPart]) -> set[str]:
    """Programs that need not run: spares, while no zone is lost."""
    return {p.name for p in parts if is_spare(p)}


def _zone_state(site: Site, zone: Zone, found: list[Found], spares: set[str]) -> ZoneState:
    try:
        programs = _supervisor.Supervisor(site, zone).programs()
    except NotReady:
        return ZoneState(healthy=False, detail="its supervisor does not answer")
    running = {f.inner_pid for f in found if not f.key.startswith("zone/")}
    down = tuple(
        sorted(
            name
            for name, p in programs.items()
            if name not in spares and (p.state != "RUNNING" or p.pid not in running)
        )
    )
    if down:
        return ZoneState(healthy=False, detail=f"not running: {', '.join(down)}", down=down)
    trouble = _haproxies.silent(zone, programs)
    return ZoneState(healthy=not trouble, detail=trouble)


def _resource_states(component: Component, want: Wanted, site: Site) -> dict[str, ResourceState]:
    try:
        return _behind.annotated(component.observe(want, site), component, want, site)
    except (OSError, CordilleraError) as e:
        return {
            name: ResourceState(
                component.name, healthy=False, durable=False, endpoint="", detail=str(e)
            )
            for name, _ in want.of_type(component.name)
        }


def _service_state(
    name: str, parts: list[LocalPart], site: Site, found: list[Found], pool: ThreadPoolExecutor
) -> ServiceState:
    copies = [p for p in parts if p.unit == f"service/{name}" and isinstance(p.body, Process)]
    leaders, memory = _found.leaders(found), _found.memory_by_key(found)
    homes = [p for p in copies if not is_spare(p)]
    copies = homes + [p for p in copies if is_spare(p) and p.key in leaders]
    probed: list[Future[Copy]] = [
        pool.submit(_copy, p, site, leaders.get(p.key), memory.get(p.key, 0)) for p in copies
    ]
    return ServiceState(desired=len(homes), copies=tuple(f.result() for f in probed))


def _copy(part: LocalPart, site: Site, found: Found | None, memory_bytes: int) -> Copy:
    assert isinstance(part.body, Process)
    exits = _ready.exits_of(part.name, site.zone(part.body.zone))
    last_exit = exits[-1] if exits else ""
    release = part.body.variables["CORDILLERA_RELEASE"]
    if found is None:
        return Copy(
            part.name,
            part.body.zone,
            healthy=False,
            release=release,
            last_exit=last_exit,
            detail="not running",
        )
    ready, detail = _ready.probe_found(part, site, found)
    return Copy(
        part.name,
        part.body.zone,
        ready,
        found.pid,
        release,
        found.age_s,
        memory_bytes,
        last_exit,
        "" if ready else detail,
    )
