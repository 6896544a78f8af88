"""A cache's master that is cut off: how much of what it acknowledged is gone; nothing that was confirmed."""

from collections.abc import Iterator

import pytest
from tests.targets.local import cut_cache
from tests.targets.local.by_hand import eventually
from tests.targets.local.cut_cache import Shop

from cordillera.components.cache import CacheSpec
from cordillera.components.target import Loss
from cordillera.core.process import is_root
from cordillera.targets.local import _found, _place, network
from cordillera.targets.local._redis import Denied
from cordillera.targets.local._verbs import LocalVerbs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_root(), reason="without root all zones share one network"),
]
PROMISED_S = 1.5
"""What the page says may be lost. Measured: 0.8 s at most."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    caches = {
        "cache": CacheSpec(type="cache"),
        "carts": CacheSpec(type="cache", durable=True),
    }
    with cut_cache.shop("test/cuts", caches) as made:
        yield made


def test_a_master_that_is_cut_off_soon_takes_no_writes_and_confirmed_ones_are_kept(
    shop: Shop,
) -> None:
    found = shop.cut("one", {"cache": False, "carts": True})

    plain, durable = found["cache"], found["carts"]
    assert plain.last_s < PROMISED_S
    assert plain.lost <= plain.late
    assert plain.back_s < 10
    assert durable.acknowledged > 200
    assert durable.lost == 0


def test_after_a_reboot_the_zone_that_went_on_alone_has_the_master(shop: Shop) -> None:
    shop.heal()
    lost_zone = shop.master()
    other = cut_cache.OTHER[lost_zone]
    LocalVerbs().lose(shop.site.environment, lost_zone, Loss.KILLED)
    eventually(lambda: shop.answer(other, "SET", "alone", "v") == "OK", "zone writes alone")
    _found.kill(_found.scan(shop.site.environment))
    network.remove(shop.site)
    _place.forget_running(shop.site)

    shop.environment.up()

    assert shop.master() == other
    assert shop.answer(other, "GET", "alone") == "v"


def test_a_durable_cache_is_on_the_disk_and_says_so(shop: Shop) -> None:
    shop.heal()
    state = shop.environment.state().resources
    assert (state["cache"].durable, state["carts"].durable) == (False, True)
    with shop.connect("a", "carts") as carts, pytest.raises(Denied):
        carts.ask("CONFIG", "SET", "appendfsync", "no")
