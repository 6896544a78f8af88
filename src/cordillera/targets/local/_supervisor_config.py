"""What a zone's supervisor is configured with: itself, and each program that it runs."""

import sys
from pathlib import Path

SUPERVISORD = Path(__file__).with_name("_supervisord.py")
SHIM = Path(__file__).with_name("_shim.py")

SUPERVISOR = """\
[supervisord]
nodaemon=true
silent=true
logfile={run}/supervisor.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisor.pid
childlogdir={run}
user={user}
umask=027

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files={run}/programs/*.conf
"""

PROGRAM = """\
[{section}:{name}]
command={python} -I -S {shim} {spec}
environment=CORDILLERA_PART="-"
autostart={autostart}
autorestart=true
startsecs=0
priority={priority}
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
stopasgroup={as_group}
killasgroup=true
stdout_logfile=NONE
stderr_logfile=NONE
{extra}"""


def command(config: Path) -> list[str]:
    """What a supervisor with that configuration is started by."""
    return [sys.executable, "-IBWignore", str(SUPERVISORD), "-n", "-c", str(config)]


def program_config(
    name: str,
    spec: Path,
    *,
    stop_signal: str,
    stop_wait_s: float,
    priority: int,
    as_group: bool,
    autostart: bool = True,
    section: str = "program",
    extra: str = "",
) -> str:
    """The supervisor's configuration of one program."""
    return PROGRAM.format(
        section=section,
        name=name,
        python=sys.executable,
        shim=SHIM,
        spec=spec,
        stop_signal=stop_signal,
        stop_wait_s=max(1, round(stop_wait_s)),
        priority=priority,
        as_group=str(as_group).lower(),
        autostart=str(autostart).lower(),
        extra=extra,
    )
