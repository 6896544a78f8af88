"""Logs are kept and rotated: Debian's logrotate, once a minute in every failure domain.

Programs write to their files themselves and no line has a time. How long each file was at what time is noted
beside them, so that what was printed since then can be told (`_printed`).
"""

from cordillera.components.wanted import Wanted
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Parts, Process, part
from cordillera.targets.local._site import Site

ROTATE_EVERY_S = 60
NOTE_EVERY_S = 10
KEPT = 5
LENGTHS = "lengths"
"""In the folder of logs: a line `TIME LENGTH NAME` whenever one has grown."""

KEEP = f"""\
    rotate {KEPT}
    copytruncate
    compress
    missingok
    notifempty
"""
RULES = f"""\
{{state}}/logs/*.log {{
    size 10M
{KEEP}}}
{{state}}/nginx/*.log {{
    size 10M
{{su}}{KEEP}}}
{{state}}/logs/{LENGTHS} {{
    size 10M
    rotate 1
    copytruncate
    missingok
}}
"""
LOOP = f"""\
while sleep {NOTE_EVERY_S}; do
    find "$1" -maxdepth 1 -name '*.log' -newermt '{NOTE_EVERY_S + 1} seconds ago' \\
        -printf '%T@ %s %f\\n' >> "$1/{LENGTHS}"
    turn=$((turn + {NOTE_EVERY_S}))
    [ $turn -lt {ROTATE_EVERY_S} ] || {{
        turn=0
        logrotate -s "$3/logrotate.state" "$2/logrotate.conf"
    }}
done
"""


def config(site: Site) -> str:
    """What logrotate is told: in a folder of a server's it acts as that server, not as root."""
    user = site.uid("firewall")
    return RULES.replace("{su}", f"    su {user} {user}\n" if user is not None else "")


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
                    argv=("/bin/sh", "-c", LOOP, "logs", "{state}/logs", "{run}", "{zone_run}"),
                    zone=zone.name,
                    subnet="outside" if zone.outside else "private",
                    user="root",
                    files={"logrotate.conf": config(site)},
                    stop_grace_s=1,
                ),
                site.vault.digest,
            )
            for zone in (*site.domains, site.front)
        )
