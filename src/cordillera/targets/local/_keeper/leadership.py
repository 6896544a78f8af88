"""Which master leads the object store: by preference the witness's, so that a lost zone costs no election.

A new leader assigns nothing for fifteen seconds, whatever it knows by then. So the lead is handed back to the
witness only when nothing has been written for a while.
"""

import http.client
import json
import time
from collections.abc import Callable

from cordillera.targets.local import _weed
from cordillera.targets.local._keeper.log import say

ASK_TIMEOUT_S = 1.0
STATUS = "/cluster/status"
SETTLED_AFTER_S, AGAIN_AFTER_S = 10.0, 15.0
"""A master that follows for that long knows everything; one transfer that failed is tried again later."""
QUIET_S = 60.0
"""So long nothing was written before the lead is handed over."""


class Leadership:
    """Remembers since when the witness's master has been following another."""

    def __init__(self, witness: tuple[str, int]) -> None:
        self._witness = witness
        self._well_since = self._tried_at = 0.0
        self._held, self._quiet_since = "", time.monotonic()

    def forget(self) -> None:
        """Count anew."""
        self._well_since = 0.0

    def witness_is_well_for_s(self) -> float:
        """For how long the witness's master has answered, as far as we saw."""
        self._look()
        return time.monotonic() - self._well_since if self._well_since else 0.0

    def prefer_the_witness(self, shell: Callable[..., str], held: str) -> None:
        """Hand the lead to the witness's master when another has it and all is quiet.

        `held` changes with everything that is written. Raises CordilleraError.
        """
        leads = self._look()
        now = time.monotonic()
        if held != self._held:
            self._held, self._quiet_since = held, now
        settled = self._well_since and now - self._well_since > SETTLED_AFTER_S
        quiet = now - self._quiet_since > QUIET_S
        if leads or not settled or not quiet or now - self._tried_at < AGAIN_AFTER_S:
            return
        self._tried_at = now
        shell(transfer(self._witness))
        say("objects: the witness's master leads")

    def _look(self) -> bool:
        """Whether the witness's master leads; notes since when it has answered with a leader known."""
        text = http_get(self._witness, STATUS)
        found = json.loads(text) if text else {}
        well = bool(found.get("Leader"))
        self._well_since = (self._well_since or time.monotonic()) if well else 0.0
        return bool(found.get("IsLeader"))


def transfer(to: tuple[str, int]) -> str:
    """The shell's command that hands the lead to a master. Pure."""
    host, port = to
    return f"cluster.raft.transferLeader -id {host}:{port} -address {host}:{port + _weed.GRPC}"


def http_get(server: tuple[str, int], path: str) -> str | None:
    """The body of a good answer, None for anything else."""
    status, text = _asked(server, path)
    return text if status == http.HTTPStatus.OK else None


def speaks(server: tuple[str, int]) -> bool:
    """Whether somebody answers there, whatever it is."""
    return bool(_asked(server, "/")[0])


def _asked(server: tuple[str, int], path: str) -> tuple[int, str]:
    """Status and body; status 0 when there is no answer."""
    link = http.client.HTTPConnection(*server, timeout=ASK_TIMEOUT_S)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        link.close()
