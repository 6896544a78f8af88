"""The cache on one machine: its parts, and what it does when servers die."""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.targets.local import by_hand
from tests.targets.local.by_hand import Hand, eventually

from cordillera.components.cache import CacheSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady
from cordillera.core.vault import Vault
from cordillera.targets.local import _cache_ask as asking
from cordillera.targets.local import _cache_config as config
from cordillera.targets.local import _cache_start as starting
from cordillera.targets.local import _net
from cordillera.targets.local._cache_ask import Server, Vote
from cordillera.targets.local._parts import Process, Task
from cordillera.targets.local._redis import Denied, Redis
from cordillera.targets.local._site import Isolation, Site
from cordillera.targets.local.cache import Cache

WANT = Wanted(
    app="shop",
    environment="test/byhand",
    folder=Path("/"),
    resources={"cache": CacheSpec(type="cache"), "carts": CacheSpec(type="cache")},
)
ONE = Wanted("shop", "test/byhand", Path("/"), resources={"cache": CacheSpec(type="cache")})
A, B = "127.20.10.2:6380", "127.20.20.2:6380"


def plain_site() -> Site:
    nowhere = Path("/nonexistent")
    return Site("test/byhand", 20, Isolation.LOOPBACK, nowhere / "s", nowhere / "r", Vault(nowhere))


def server_options(**asked: bool) -> str:
    spec = CacheSpec(type="cache", **asked)
    return config.server(plain_site(), "cache", 6380, spec)


# -- pure ---------------------------------------------------------------------------------------


def test_a_cache_is_two_servers_and_a_vote_in_three_places() -> None:
    names = [p.name for p in Cache().parts(ONE, plain_site())]
    assert names == [
        "redis-cache@a", "redis-cache@b",
        "sentinel@a", "sentinel@b", "sentinel@witness", "sentinels-cache",
    ]  # fmt: skip


def test_several_caches_share_the_sentinels_and_no_port() -> None:
    site = plain_site()
    names = [p.name for p in Cache().parts(WANT, site)]
    assert sum(name.startswith("sentinel@") for name in names) == 3
    assert [e.port for e in Cache().endpoints(WANT, site)] == [6381, 6391]


def test_the_first_cache_is_also_the_one_that_apps_expect() -> None:
    site = plain_site()
    url = "redis://:${secret:cache/cache}@127.20.20.2:6381/0"
    first = Cache().variables(WANT, site, "cache", site.zones[1])
    assert first == {"CACHE_URL": url, "REDIS_URL": url}
    assert set(Cache().variables(WANT, site, "carts", site.zones[0])) == {"CARTS_URL"}


def test_no_secret_is_in_a_command_line() -> None:
    for part in Cache().parts(WANT, plain_site()):
        if isinstance(part.body, Process):
            assert "secret" not in " ".join(part.body.argv)


def test_a_cache_forgets_nothing_unless_it_may() -> None:
    kept = server_options()
    assert "maxmemory-policy noeviction" in kept.splitlines()
    assert "min-replicas-to-write 1" in kept.splitlines()
    evicting = server_options(evict=True)
    assert "maxmemory-policy allkeys-lru" in evicting.splitlines()


def test_a_durable_cache_has_each_write_on_the_disk_and_evicts_nothing() -> None:
    assert "appendfsync always" in server_options(durable=True).splitlines()
    assert "appendfsync everysec" in server_options().splitlines()
    with pytest.raises(ValueError, match="durable and evict exclude each other"):
        CacheSpec(type="cache", durable=True, evict=True)


def test_users_passwords_are_hashes() -> None:
    users = [line.split() for line in server_options().splitlines() if line.startswith("user ")]
    assert [user[3][0] + str(len(user[3])) for user in users] == ["#65", "#65"]


def started(folder: Path, **kept: str) -> str:
    """Whom a server follows after a start with these files in its data folder, and no Sentinel."""
    for name, text in {"base.conf": "port 6380\n", **kept}.items():
        (folder / name.replace("_", ".")).write_text(text)
    plan = {
        "kind": "server", "base": "base.conf", "target": "run/live.conf", "note": "follows",
        "former": "redis.conf", "name": "cache", "self": A, "servers": [B, A], "sentinels": [],
        "password": "",
    }  # fmt: skip
    paths = ("base", "target", "note", "former")
    (folder / "plan").write_text(
        json.dumps({k: str(folder / str(v)) if k in paths else v for k, v in plan.items()})
    )
    starting.main([str(folder / "plan")])
    assert not (folder / "redis.conf").exists()
    return (folder / "run/live.conf").read_text().removeprefix("port 6380\n")


def test_after_a_reboot_a_server_follows_as_before_and_old_files_with_passwords_go(
    tmp_path: Path,
) -> None:
    replica = "replicaof 127.20.20.2 6380\n"
    old = "masterauth in-clear\n"
    assert started(tmp_path, redis_conf=old) == ""  # of an older version: it was the master
    assert started(tmp_path) == ""  # it has begun before: not the first server of the list any more
    assert started(tmp_path, follows=replica) == ""  # what the server wrote itself is newer
    (tmp_path / "run/live.conf").unlink()
    assert started(tmp_path, follows=replica) == replica
    assert "in-clear" not in "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())


def test_a_server_follows_whom_most_sentinels_name() -> None:
    old_master = ["bind x", "port 6380"]
    assert starting.choose([B, B, ""], old_master, me=A, servers=[A, B]) == B
    assert starting.choose([B, "", ""], old_master, me=A, servers=[A, B]) == A
    assert starting.choose(["", "", ""], ["replicaof 127.20.20.2 6380"], me=A, servers=[A, B]) == B
    assert starting.choose(["", "", ""], [], me=B, servers=[A, B]) == A


def test_a_sentinel_keeps_what_it_learned_and_gets_todays_options() -> None:
    old = ["port 1", "requirepass old", "sentinel sentinel-pass old", "sentinel monitor c h 1 2"]
    text = starting.with_learned("port 2\nsentinel sentinel-pass new\n", old)
    assert text == "port 2\nsentinel sentinel-pass new\nsentinel monitor c h 1 2\n"


def test_two_masters_are_never_called_healthy() -> None:
    masters = [Server("a", "127.20.10.2", "master"), Server("b", "127.20.20.2", "master")]
    assert asking.trouble(masters, [], 6380) == "two masters"
    with pytest.raises(NotReady):
        asking.master_among(masters)


def test_after_a_reboot_the_last_note_tells_the_master() -> None:
    a, b = "127.20.10.2", "127.20.20.2"
    assert asking.last_noted({a: (1.0, "master\n"), b: (2.0, "master\n")}) == b
    assert (
        asking.last_noted({a: (2.0, f"replicaof {b} 6380\n"), b: (1.0, f"replicaof {a} 6380\n")})
        == b
    )
    assert asking.last_noted({a: (0.0, ""), b: (0.0, "")}) == a


def test_a_silent_sentinel_is_trouble() -> None:
    servers = [
        Server("a", "127.20.10.2", "master", good_replicas=1),
        Server("b", "127.20.20.2", "slave", link_up=True),
    ]
    good = [Vote(zone, A, 1, 2) for zone in ("a", "b", "witness")]
    assert asking.trouble(servers, good, 6380) == ""
    assert "witness" in asking.trouble(servers, [*good[:2], Vote("witness", None)], 6380)

    assert "witness" in asking.trouble(servers, [*good[:2], Vote("witness", A, 1, 1)], 6380)


# -- real servers -------------------------------------------------------------------------------


class Shop:
    """The cache of an app, run by hand, and the app's own sessions."""

    def __init__(self, hand: Hand) -> None:
        self.hand, self.site, self.cache = hand, hand.site, Cache()
        self.parts = {p.name: p for p in self.cache.parts(ONE, self.site)}

    def up(self) -> None:
        processes = [p for p in self.parts.values() if isinstance(p.body, Process)]
        self.hand.start(*[p for p in processes if p.name not in self.hand.running])
        for part in self.parts.values():
            if isinstance(part.body, Task):
                task = part.body
                self.hand.perform(partial(self.cache.perform, task, self.site, ONE))
                assert self.cache.holds(task, self.site)

    def ask(self, *words: str, zone: str = "a", port: int = 6380) -> Any:
        at = self.site.zone(zone)
        made = _net.dial(self.site, at, at.private, port, timeout_s=5)
        with Redis(made, password=self.site.vault.get("cache/cache")) as server:
            return server.ask(*words)

    def answer(self, *words: str, **where: Any) -> Any:
        """As `ask`, but silence and refusal are no answer."""
        try:
            return self.ask(*words, **where)
        except (OSError, Denied):
            return None

    def state(self) -> Any:
        return self.cache.observe(ONE, self.site)["cache"]

    def roles(self) -> dict[str, str]:
        return {m.zone: m.role for m in self.state().members if m.role != "sentinel"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with by_hand.site() as site:
        hand = Hand(site)
        try:
            yield Shop(hand)
        finally:
            hand.close()


@pytest.mark.slow
def test_what_is_written_at_the_endpoint_is_in_the_other_zone(shop: Shop) -> None:
    shop.up()
    for zone in shop.site.zones:
        shop.hand.proxy(zone.name, shop.cache.endpoints(ONE, shop.site))
    eventually(lambda: shop.answer("SET", "k", "v", zone="b", port=6381) == "OK", "a write")
    eventually(lambda: shop.answer("GET", "k", zone="b") == "v", "the value in zone b")
    state = shop.state()
    assert state.healthy and not state.durable and "the last second" in state.detail
    assert shop.roles() == {"a": "master", "b": "replica"}


@pytest.mark.slow
def test_a_power_cut_of_everything_loses_nothing(shop: Shop) -> None:
    shop.up()
    for number in range(50):
        shop.ask("SET", f"k{number}", "v")
    for name in list(shop.hand.running):
        shop.hand.kill(name)
    shop.up()
    assert shop.ask("DBSIZE") == 50
    assert shop.state().healthy


@pytest.mark.slow
def test_a_lost_master_is_replaced_and_returns_as_a_replica(shop: Shop) -> None:
    shop.up()
    shop.hand.proxy("b", shop.cache.endpoints(ONE, shop.site))
    shop.ask("SET", "k", "v")
    shop.hand.kill("redis-cache@a")
    shop.hand.kill("sentinel@a")
    eventually(lambda: shop.roles()["b"] == "master", "zone b takes over")
    eventually(lambda: shop.answer("GET", "k", zone="b", port=6381) == "v", "the endpoint moved")
    assert not shop.state().healthy
    shop.up()
    assert shop.roles() == {"a": "replica", "b": "master"}
    eventually(lambda: shop.answer("GET", "k") == "v", "the value back in zone a")
    for name in list(shop.hand.running):
        shop.hand.kill(name)
    shop.up()
    assert shop.roles() == {"a": "replica", "b": "master"}


@pytest.mark.slow
def test_a_lost_replica_is_seen(shop: Shop) -> None:
    shop.up()
    shop.hand.kill("redis-cache@b")
    eventually(lambda: not shop.state().healthy, "degraded")
    shop.up()
    eventually(lambda: shop.state().healthy, "healthy again")


@pytest.mark.slow
def test_a_start_killed_at_any_moment_is_done_again(shop: Shop) -> None:
    for moment_s in (0.05, 0.15, 0.3):
        for name in ("redis-cache@a", "sentinel@a"):
            shop.hand.launch(shop.parts[name])
        time.sleep(moment_s)
        for name in ("redis-cache@a", "sentinel@a"):
            shop.hand.kill(name)
    shop.up()
    assert shop.state().healthy


@pytest.mark.slow
def test_an_app_cannot_reconfigure_its_cache_and_a_stranger_sees_nothing(shop: Shop) -> None:
    shop.up()
    with pytest.raises(Denied):
        shop.ask("REPLICAOF", "NO", "ONE")
    zone = shop.site.zone("a")
    for port in (6380, config.SENTINEL_PORT):
        made = _net.dial(shop.site, zone, zone.private, port, timeout_s=5)
        with Redis(made) as stranger, pytest.raises(Denied):
            stranger.ask("PING")
