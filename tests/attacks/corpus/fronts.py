"""Two ways to the same application: Debian's nginx and rules as the packages have them, and our edge.

Ours is front, edge, firewall, edge, as they are made for an environment; only the front's TLS is left out.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cordillera.components.edge import EdgeSpec
from cordillera.components.firewall import FirewallSpec, RateSpec
from cordillera.components.objects import ObjectsSpec
from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.core import process
from cordillera.targets.local import _nginx, balancer, firewall
from cordillera.targets.local._lookout import frozen
from cordillera.targets.local._parts import LocalPart, Process, part
from cordillera.targets.local._site import Site
from tests.attacks.corpus import app
from tests.attacks.corpus.cases import Case
from tests.targets.local import by_hand

STOCK = Path("/etc/nginx/modsecurity.conf")
CRS = Path("/usr/share/modsecurity-crs/owasp-crs.load")
METHODS = "GET HEAD POST OPTIONS PUT PATCH DELETE"
NOBODY = 65534
EDGE = EdgeSpec(
    cache=["/static/*"],
    firewall=FirewallSpec(rate=RateSpec(requests=10**7)),
)
PLAIN = """\
load_module {module};
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_max_body_size {upload};
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream app {{ server {app}; keepalive 16; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    modsecurity on;
    server {{
        listen unix:{folder}/stock.sock;
        modsecurity_rules_file {folder}/stock.conf;
        location / {{ proxy_pass http://app; }}
    }}
    server {{
        listen unix:{folder}/rest.sock;
        modsecurity_rules_file {folder}/rest.conf;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""


@dataclass(frozen=True)
class Fronts:
    """Both are up. `plain` and `ours` connect to them."""

    folder: Path
    site: Site
    port: int

    def plain(self, case: Case) -> socket.socket:
        """The packages' set-up; with three more methods for what applications use."""
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(self.folder / ("rest.sock" if case.rest else "stock.sock")))
        except OSError:
            made.close()
            raise
        return made

    def ours(self, case: Case) -> socket.socket:
        """The front, without TLS."""
        return socket.create_connection((self.site.zone("a").private, self.port), 5)


@contextmanager
def both() -> Iterator[Fronts]:
    """Bring them up; ended and removed afterwards."""
    with by_hand.site() as site, ExitStack() as ends:
        folder = site.state / "plain"
        folder.mkdir()
        copy = _copy(site)
        assert isinstance(copy.body, Process)
        address = site.zone("a").private
        _run(ends, [sys.executable, app.__file__, address, str(copy.body.port)])
        _plain(folder, f"{address}:{copy.body.port}")
        _run(ends, ["nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"])
        hand = by_hand.Hand(site)
        ends.callback(hand.close)
        fronts = Fronts(folder, site, _free_port(site))
        for one in _edge(site, copy, fronts.port):
            hand.launch(one)
        by_hand.eventually(lambda: _answers(fronts), "both answer", within_s=40)
        yield fronts


def _plain(folder: Path, address: str) -> None:
    """Debian's files, switched on; nothing else is changed but where they write."""
    stock = STOCK.read_text().replace("SecRuleEngine DetectionOnly", "SecRuleEngine On")
    stock = stock.replace(
        "SecUnicodeMapFile unicode.mapping", "SecUnicodeMapFile /etc/nginx/unicode.mapping"
    )
    stock = re.sub("(?m)^SecAuditLog .*", f"SecAuditLog {folder}/audit.log", stock)
    # The package's own list is Apache's: this engine has no IncludeOptional.
    rules = CRS.read_text().replace("IncludeOptional", "Include")
    rest = (
        f"SecAction \"id:900200,phase:1,nolog,pass,t:none,setvar:'tx.allowed_methods={METHODS}'\"\n"
    )
    (folder / "stock.conf").write_text(f"{stock}\n{rules}")
    (folder / "rest.conf").write_text(f"{stock}\n{rest}{rules}")
    text = PLAIN.format(
        module=_nginx.MODULE, folder=folder, app=address, upload=EDGE.firewall.upload_limit
    )
    (folder / "nginx.conf").write_text(text)
    if process.is_root():
        process.run(["chown", "-R", str(NOBODY), str(folder)], timeout_s=5)


def _run(ends: ExitStack, argv: list[str]) -> None:
    made = subprocess.Popen(argv, user=NOBODY if process.is_root() else None)
    ends.callback(made.wait)
    ends.callback(made.terminate)


def _free_port(site: Site) -> int:
    with socket.socket() as free:
        free.bind((site.zone("a").private, 0))
        return int(free.getsockname()[1])


def _copy(site: Site) -> LocalPart:
    body = Process(("x",), "a", "service/web", port=_free_port(site))
    return part("service", "web-a1", "service/web", body, str)


def _edge(site: Site, copy: LocalPart, port: int) -> list[LocalPart]:
    """The product's own parts of zone a, with our application as the only copy, and a front."""
    want = Wanted(
        app="shop", environment=site.environment, folder=site.state, edge=EDGE,
        services={"web": ServiceSpec(command="x", public=True)},
        resources={"uploads": ObjectsSpec(type="objects", public=["media/"])},
    )  # fmt: skip
    zone = site.zone("a")
    nginx = next(p for p in firewall.Firewall().parts(want, site) if p.name == "nginx-a")
    front = next(p for p in balancer.Front().parts(want, site) if p.name != "lookout@front")
    return [nginx, balancer._edge(want, site, zone, [copy]), _without_tls(front, site, port)]


def _without_tls(front: LocalPart, site: Site, port: int) -> LocalPart:
    assert isinstance(front.body, Process)
    for path in (site.front.state, site.front.run):
        path.mkdir()
        path.chmod(0o711)
    bind = f"    bind {site.zone('a').private}:{port}"
    config = re.sub("(?m)^    bind fd@0 .*", bind, front.body.files[balancer.FRONT_CONFIG])
    files = {name: text for name, text in front.body.files.items() if "tls" not in name}
    body = replace(
        front.body, files={**files, balancer.FRONT_CONFIG: config}, shared_socket="", copies=1,
        variables={**front.body.variables, frozen.PROCESS: "front-0"},
    )  # fmt: skip
    return replace(front, body=body)


def _answers(fronts: Fronts) -> bool:
    case = Case(
        "", "", "", "", b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"
    )
    try:
        for connect in (fronts.plain, fronts.ours):
            with connect(case) as made:
                made.settimeout(2)
                made.sendall(case.raw)
                if b"X-App: seen" not in made.recv(4096).replace(b"x-app", b"X-App"):
                    return False
    except OSError:
        time.sleep(0.1)
        return False
    return True
