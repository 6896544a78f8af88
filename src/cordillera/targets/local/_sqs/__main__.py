"""Serves the queue: `python -m cordillera.targets.local._sqs SETTINGS.json`."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pymysql
import uvicorn

from cordillera.targets.local._sqs.app import application
from cordillera.targets.local._sqs.database import Database
from cordillera.targets.local._sqs.store import Store

AGAIN_AFTER_S = 0.5
LONG_POLLS_END_WITHIN_S = 3


def prepare(store: Store, queues: dict[str, dict[str, str]]) -> None:
    """Make the tables and the queues that the manifest names, as soon as the database takes them."""
    while True:
        try:
            store.prepare()
            for name, attributes in queues.items():
                store.put_queue(name, attributes, replace=True)
        except pymysql.Error as e:
            print(f"the database is not ready: {e}", flush=True)
            time.sleep(AGAIN_AFTER_S)
        else:
            return


def main() -> None:
    """Serve until we are ended."""
    settings: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    store = Store(Database(**settings["database"]))
    prepare(store, settings["queues"])
    uvicorn.run(
        application(store, settings["keys"]),
        host=settings["host"],
        port=settings["port"],
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LONG_POLLS_END_WITHIN_S,
    )


if __name__ == "__main__":
    main()
