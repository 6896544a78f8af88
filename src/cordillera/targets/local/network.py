"""The network: per zone a public and a private subnet, a router between them, default drop everywhere.

As root each subnet is a network namespace joined to the environment's router namespace by a pair of
virtual Ethernet devices. Rules are loaded and read back before any link comes up: a ruleset that was
refused would leave everything open.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core import process
from cordillera.core.errors import CommandFailed, CordilleraError
from cordillera.targets.local import _firewall_rules as rules
from cordillera.targets.local._component import Component
from cordillera.targets.local._net import NETNS_FOLDER
from cordillera.targets.local._parts import Parts, Task, part
from cordillera.targets.local._site import Site

OFFER = Offered("without root only loopback addresses keep environments apart")

COMMAND_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Subnet:
    """One namespace: its name, its own address and the router's on its link, the router's device."""

    netns: str
    address: str
    gateway: str
    device: str


class Network(Component):
    """Namespaces and rules as root; loopback addresses without."""

    name = "network"

    def parts(self, want: Wanted, site: Site) -> Parts:
        watched = tuple(rules.everything(site)) if site.namespaced else ("loopback",)
        task = Task("lay", {"isolation": site.isolation}, watched)
        return (part("network", "subnets", "network", task, site.vault.digest),)

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        if site.namespaced:
            lay(site)

    def holds(self, task: Task, site: Site) -> bool:
        return not site.namespaced or stands(site)


def router(site: Site) -> str:
    """The name of the environment's router namespace."""
    return f"{site.prefix}-router"


def subnets(site: Site) -> Iterator[Subnet]:
    """Every subnet of the environment; the witness has a private one only."""
    for zone in site.domains:
        kinds = ("private",) if zone.votes_only else ("private", "public")
        for kind in kinds:
            address = zone.private if kind == "private" else zone.public
            device = f"{site.prefix}{zone.name[0]}{kind[1]}"
            yield Subnet(site.netns(zone, kind), address, address[:-1] + "1", device)


def stands(site: Site) -> bool:
    """Whether all of it is there: namespaces, links that are up, and exactly our rules."""
    try:
        names = [router(site), *(s.netns for s in subnets(site))]
        if not all((NETNS_FOLDER / name).exists() for name in names):
            return False
        links = json.loads(_ip(router(site), "-json", "link", "show", "up"))
        up = {link["ifname"].split("@")[0] for link in links}
        wanted = {s.device for s in subnets(site)} | {_router_uplink(site)}
        return wanted <= up and all(
            rules.loaded(netns, text) for netns, text in rules.by_netns(site)
        )
    except CordilleraError:
        return False


def lay(site: Site) -> None:
    """Make the network, whatever part of it is there already. Raises CommandFailed."""
    names = [router(site), *(s.netns for s in subnets(site))]
    for name in names:
        if not (NETNS_FOLDER / name).exists():
            _ip("", "netns", "add", name)
    for netns, text in rules.by_netns(site):
        rules.load(netns, text)
    _link_host(site)
    for subnet in subnets(site):
        _link(site, subnet)


def remove(site: Site) -> None:
    """Take the network away. Nothing to do when it is not there."""
    if not site.namespaced:
        return
    rules.unload_host(site)
    # Before the namespaces: with them it would go some time later, perhaps under a new network's feet.
    if _device_exists("", _uplink(site)):
        _ip("", "link", "delete", _uplink(site))
    builds = (path.name for path in NETNS_FOLDER.glob(f"{site.prefix}-build-*"))
    for name in [*builds, *(s.netns for s in subnets(site)), router(site)]:
        if (NETNS_FOLDER / name).exists():
            _ip("", "netns", "delete", name)


def _link(site: Site, subnet: Subnet) -> None:
    inside = router(site)
    if not _device_exists(inside, subnet.device):
        _ip(
            inside,
            "link",
            "add",
            subnet.device,
            "type",
            "veth",
            "peer",
            "eth0",
            "netns",
            subnet.netns,
        )
    _ip(inside, "address", "replace", f"{subnet.gateway}/24", "dev", subnet.device)
    _ip(inside, "link", "set", subnet.device, "up")
    _ip(subnet.netns, "address", "replace", f"{subnet.address}/24", "dev", "eth0")
    _ip(subnet.netns, "link", "set", "lo", "up")
    _ip(subnet.netns, "link", "set", "eth0", "up")
    _ip(subnet.netns, "route", "replace", "default", "via", subnet.gateway)


def _link_host(site: Site) -> None:
    inside, uplink, inner = router(site), _uplink(site), _router_uplink(site)
    if not _device_exists("", uplink):
        _ip("", "link", "add", uplink, "type", "veth", "peer", inner, "netns", inside)
    _ip("", "address", "replace", f"10.{site.number}.0.1/24", "dev", uplink)
    _ip("", "link", "set", uplink, "up")
    _ip(inside, "address", "replace", f"10.{site.number}.0.2/24", "dev", inner)
    _ip(inside, "link", "set", "lo", "up")
    _ip(inside, "link", "set", inner, "up")
    _ip(inside, "route", "replace", "default", "via", f"10.{site.number}.0.1")
    _ip("", "route", "replace", f"10.{site.number}.0.0/16", "via", f"10.{site.number}.0.2")
    process.run(
        ["nsenter", f"--net={NETNS_FOLDER / inside}", "sysctl", "-qw", "net.ipv4.ip_forward=1"],
        timeout_s=COMMAND_TIMEOUT_S,
    )


def _uplink(site: Site) -> str:
    return f"{site.prefix}host"


def _router_uplink(site: Site) -> str:
    return f"{site.prefix}up"


def _device_exists(netns: str, device: str) -> bool:
    try:
        _ip(netns, "link", "show", "dev", device)
    except CommandFailed:
        return False
    return True


def _ip(netns: str, *words: str) -> str:
    within = ["-netns", netns] if netns else []
    return process.run(["ip", *within, *words], timeout_s=COMMAND_TIMEOUT_S)
