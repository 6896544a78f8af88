"""What a hostile build tries; it notes in `attacked.json` what it got."""

from pathlib import Path

from cordillera.targets.local._site import Site

RESULT = "attacked.json"

SCRIPT = """
import json, os, socket, subprocess, urllib.request
got = {}

def readable(paths):
    return [path for path in paths if os.path.exists(path)]

def connects(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False

got["files"] = readable(%(paths)r)
got["sockets"] = [p for p in %(sockets)r if os.path.exists(p)]
got["network"] = [list(at) for at in %(addresses)r if connects(*at)]
got["processes"] = sorted(
    {os.stat("/proc/" + n).st_uid for n in os.listdir("/proc") if n.isdigit()} - {os.getuid(), 0})
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
got["capabilities"] = status["CapEff"].strip()
got["seccomp"] = status["Seccomp"].strip()
got["uid"] = os.getuid()
got["limits"] = open("/proc/self/limits").read()
got["resolves"] = False
try:
    got["resolves"] = bool(socket.getaddrinfo("pypi.org", 443))
except OSError:
    pass
writable = []
for top, folders, names in os.walk("/"):
    if top in ("/proc", "/sys", "/dev"):
        folders[:] = []
    elif os.access(top, os.W_OK):
        writable.append(top)
        folders[:] = []
got["writable"] = writable
got["environment"] = [key for key in os.environ if "TOKEN" in key or "AWS" in key]
children = []
try:
    for _ in range(3000):
        pid = os.fork()
        if pid == 0:
            import time
            time.sleep(30)
            os._exit(0)
        children.append(pid)
except OSError:
    pass
got["processes made"] = len(children)
for pid in children:
    os.kill(pid, 9)
open("attacked.json", "w").write(json.dumps(got))
"""


def script(home: Path, theirs: Site) -> str:
    """The build's program. `theirs` is another customer's environment, which runs."""
    zone = theirs.zone("a")
    paths = [str(p) for p in (
        theirs.state, theirs.run, theirs.builds, home / "state/.cache", Path("/root"), Path("/home"),
        home / "state/acme/test/key", home / "state/acme/test/zones", Path("/var/lib/cordillera"),
    )]  # fmt: skip
    addresses = [("127.0.0.1", 18089), (zone.private, 6381), (f"10.{theirs.number}.0.1", 22)]
    addresses += [(zone.public, 8080), ("169.254.169.254", 80)]
    sockets = [str(p) for p in theirs.run.rglob("*.sock")]
    return SCRIPT % {"paths": paths, "sockets": sockets, "addresses": addresses}
