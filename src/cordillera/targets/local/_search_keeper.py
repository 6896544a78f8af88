"""Keeps a snapshot of a search server that lives in memory, and reloads it after a restart.

Run beside the server as `python -I -S _search_keeper.py ADDRESS SNAPSHOT SECONDS`, standard library
only. The index `.cordillera` is made when everything is loaded: until then nobody is let in.
"""

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

READY = ".cordillera"
BATCH = 500
REQUEST_TIMEOUT_S = 30.0
OWN_SETTINGS = ("creation_date", "provided_name", "uuid", "version", "replication")
"""What a server writes into an index's settings itself, and refuses to be told."""


class Server:
    """A search server at `host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer as data; None for 404. Raises OSError when it does not answer or refuses."""
        lines = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        link = http.client.HTTPConnection(self._address, timeout=REQUEST_TIMEOUT_S)
        try:
            link.request(method, path, body=lines, headers={"Content-Type": kind})
            answer = link.getresponse()
            text = answer.read()
        except http.client.HTTPException as e:
            raise OSError(f"{method} {path}: {e}") from e
        finally:
            link.close()
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise OSError(f"{method} {path}: HTTP {answer.status} {text[:200]!r}")
        return json.loads(text)

    def indices(self) -> dict[str, dict[str, Any]]:
        """Index -> settings, mappings, aliases."""
        settings, mappings = self.ask("GET", "/_settings"), self.ask("GET", "/_mapping")
        aliases = self.ask("GET", "/_alias")
        return {
            name: {
                "settings": own(found["settings"]["index"]),
                "mappings": mappings.get(name, {}).get("mappings", {}),
                "aliases": aliases.get(name, {}).get("aliases", {}),
            }
            for name, found in sorted(settings.items())
            if name != READY
        }

    def counters(self) -> str:
        """Changes with every write."""
        stats = self.ask("GET", "/_stats")["indices"]
        found = {n: s["primaries"]["indexing"] | s["primaries"]["docs"] for n, s in stats.items()}
        return json.dumps(found)

    def documents(self, index: str) -> Iterator[dict[str, Any]]:
        """Every document of an index."""
        asked = {"size": BATCH, "sort": ["_doc"], "query": {"match_all": {}}}
        page = self.ask("POST", f"/{index}/_search?scroll=2m", asked)
        while page and page["hits"]["hits"]:
            yield from page["hits"]["hits"]
            following = {"scroll": "2m", "scroll_id": page["_scroll_id"]}
            page = self.ask("POST", "/_search/scroll", following)


def own(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that somebody chose."""
    return {key: value for key, value in settings.items() if key not in OWN_SETTINGS}


def save(server: Server, path: str) -> None:
    """Write everything aside, sync, rename: the snapshot is whole or the old one."""
    with open(f"{path}.new", "w") as file:
        for name, index in server.indices().items():
            file.write(json.dumps({"index": name, **index}) + "\n")
            for found in server.documents(name):
                kept = {key: found[key] for key in ("_index", "_id", "_routing") if key in found}
                file.write(json.dumps({**kept, "source": found["_source"]}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def load(server: Server, path: str) -> int:
    """Fill the server from the snapshot, if there is one; how many documents."""
    count, batch = 0, list[bytes]()
    if not os.path.exists(path):
        return 0
    with open(path) as file:
        for line in file:
            found = json.loads(line)
            if "index" in found:
                send(server, batch)
                make(server, found.pop("index"), found)
                continue
            source = found.pop("source")
            batch.append(f"{json.dumps({'index': found})}\n{json.dumps(source)}\n".encode())
            count += 1
            if len(batch) >= BATCH:
                send(server, batch)
    send(server, batch)
    return count


def make(server: Server, name: str, index: dict[str, Any]) -> None:
    """Create an index unless a load that was cut short made it."""
    if server.ask("GET", f"/{name}") is None:
        server.ask("PUT", f"/{name}", index)


def send(server: Server, batch: list[bytes]) -> None:
    """Index a batch, and empty it."""
    if batch:
        server.ask("POST", "/_bulk?refresh=true", b"".join(batch))
        batch.clear()


def turn(server: Server, path: str, saved: str) -> str:
    """Load a server that is new; save one that changed since `saved`. What is saved now."""
    if server.ask("GET", f"/{READY}") is None:
        count = load(server, path)
        server.ask("PUT", f"/{READY}", {"settings": {"number_of_replicas": 0}})
        print(f"loaded {count} documents", flush=True)
        return server.counters()
    now = server.counters()
    if now != saved:
        save(server, path)
    return now


def main() -> None:
    """Turn after turn, until we are ended."""
    address, path, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    server, saved, ready = Server(address), "", False
    while True:
        try:
            saved, ready = turn(server, path, saved), True
        except (OSError, ValueError, KeyError) as e:
            print(f"{address}: {e}", flush=True)
            ready = False
        time.sleep(seconds if ready else 0.1)


if __name__ == "__main__":
    main()
