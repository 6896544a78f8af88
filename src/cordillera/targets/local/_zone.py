"""A zone: its supervisor as PID 1, and the files that everything in it may read."""

from cordillera.components.wanted import Wanted
from cordillera.core import files
from cordillera.core.errors import NotReady
from cordillera.targets.local import _hosts, _sandbox, _start, _supervisor
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Parts, Task, part
from cordillera.targets.local._site import Site, Zone

CA_FILE = _start.CA_FILE


class Zones(Component):
    """The failure domains and the front, each one supervisor."""

    name = "zone"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return tuple(
            part(
                "zone",
                zone.name,
                f"zone/{zone.name}",
                Task("raise", {"zone": zone.name}),
                site.vault.digest,
            )
            for zone in (*site.domains, site.front)
        )

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        zone = site.zone(task.args["zone"])
        supervisor = _supervisor.Supervisor(site, zone)
        _folders(site, zone)
        supervisor.launch()
        _supervisor.wait_for(supervisor, zone)

    def holds(self, task: Task, site: Site) -> bool:
        return _supervisor.Supervisor(site, site.zone(task.args["zone"])).answers()

    def removed(self, name: str, site: Site) -> None:
        _supervisor.Supervisor(site, site.zone(name)).finish()


def _folders(site: Site, zone: Zone) -> None:
    for folder in (site.builds, zone.state.parent, zone.state, zone.state / "logs", zone.run):
        files.make_folder(folder)
    files.make_folder(site.builds, mode=0o750, group=site.uid("apps"))
    files.write(zone.run / _sandbox.HOSTS, _hosts.hosts(site))
    files.write(zone.run / _sandbox.RESOLVERS, _hosts.resolvers())
    certificate = site.state / CA_FILE
    if certificate.exists():
        files.write(zone.run / CA_FILE, certificate.read_text(), mode=0o644)
    if not certificate.exists():
        raise NotReady(f"{site.environment}: its certificate authority is not there yet")
