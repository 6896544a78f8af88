"""Logs are kept and rotated: Debian's logrotate, once a minute in every failure domain."""

from cordillera.components.wanted import Wanted
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Parts, Process, part
from cordillera.targets.local._site import Site

EVERY_S = 60
CONFIG = """\
{state}/logs/*.log {state}/nginx/*.log {
    size 10M
    rotate 5
    copytruncate
    compress
    missingok
    notifempty
}
"""
LOOP = "while sleep {every}; do logrotate -s {{run}}/logrotate.state {{run}}/logrotate.conf; done"


class Logs(Component):
    """Ten megabytes a file, five older ones compressed: a full disk is not a log's fault."""

    name = "logs"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return tuple(
            part(
                "logs",
                f"logs-{zone.name}",
                f"logs/{zone.name}",
                Process(
                    argv=("/bin/sh", "-c", LOOP.format(every=EVERY_S)),
                    zone=zone.name,
                    subnet="outside" if zone.outside else "private",
                    user="root",
                    files={"logrotate.conf": CONFIG},
                    stop_grace_s=1,
                ),
                site.vault.digest,
            )
            for zone in (*site.zones, site.front)
        )
