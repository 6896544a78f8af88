"""Search on one machine: what an app asks, who is let in, and what a restart keeps."""

import time

import pytest
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.targets.local import _found, _search_keeper

ASK = """
import base64, json, os, ssl, urllib.error, urllib.request
from urllib.parse import urlsplit
url = urlsplit(os.environ["OPENSEARCH_URL"])
trust = ssl.create_default_context(cafile=os.environ["CORDILLERA_CA_FILE"])
def ask(method, path, body=None, who=f"{url.username}:{url.password}"):
    asked = urllib.request.Request(f"https://{url.hostname}:{url.port}{path}", method=method,
        data=json.dumps(body).encode() if body else None, headers={"Content-Type": "application/json"})
    if who:
        asked.add_header("Authorization", "Basic " + base64.b64encode(who.encode()).decode())
    try:
        return json.load(urllib.request.urlopen(asked, context=trust))
    except urllib.error.HTTPError as e:
        return e.code
"""


def test_settings_that_a_server_writes_itself_are_not_told_to_another() -> None:
    told = {"number_of_shards": "1", "uuid": "x", "creation_date": "1", "analysis": {"a": 1}}

    assert _search_keeper.own(told) == {"number_of_shards": "1", "analysis": {"a": 1}}


@pytest.mark.slow
def test_nobody_searches_without_the_password(shop: Environment) -> None:
    told = shop.inside(ASK + "print(ask('GET', '/', who=''), ask('GET', '/', who='app:no'))")

    assert told.strip() == "401 401"


@pytest.mark.slow
def test_a_killed_server_comes_back_with_what_it_knew(shop: Environment) -> None:
    shop.inside(
        ASK
        + """
ask("PUT", "/news", {"mappings": {"properties": {"t": {"type": "text"}}}, "aliases": {"current": {}}})
for i in range(30):
    ask("PUT", f"/current/_doc/{i}?refresh=true", {"t": f"número {i} hello"})
"""
    )
    snapshot = shop.site.zones[0].state / "search-search/snapshot.ndjson"
    eventually(lambda: snapshot.exists() and snapshot.read_text().count("hello") == 30, "saved")

    leader = _found.leaders(_found.scan("shop/test"))["search/server-search@a"]
    _found.kill([leader])
    eventually(lambda: shop.state().resources["search"].healthy is False, "seen to be away")
    eventually(lambda: shop.state().resources["search"].healthy, "back")

    time.sleep(0.6)  # the zone's proxy checks twice a second
    count = "print(ask('GET', '/current/_count')['count'])"
    assert shop.inside(ASK + count).strip() == "30"


@pytest.mark.slow
def test_search_says_that_it_is_not_durable(shop: Environment) -> None:
    found = shop.state().resources["search"]

    assert not found.durable
    assert "in memory" in found.detail
