"""Units, secrets, locks, files, time."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from tests.fakes import Hours

from cordillera.core import files, lock, process, units
from cordillera.core.clock import wait_until
from cordillera.core.errors import CommandFailed, NotReady, Refused
from cordillera.core.vault import Vault, hkdf


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("4h", 14400), ("1d", 86400), (2, 2)],
)
def test_spans(text: object, seconds: float) -> None:
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [("64K", 65536), ("512M", 2**29), ("1G", 2**30), ("1GiB", 2**30), (5, 5)]
)
def test_sizes(text: object, count: int) -> None:
    assert units.size(text) == count


@pytest.mark.parametrize(("text", "rate"), [("10/s", 10), ("600/m", 10), ("36/h", 0.01)])
def test_rates(text: str, rate: float) -> None:
    assert units.rate(text) == pytest.approx(rate)


@pytest.mark.parametrize("read", [units.seconds, units.size, units.rate, units.percent])
@pytest.mark.parametrize(
    "text", ["", "many", "-5", "5 parrots", "10/fortnight", True, None, "1e3", "١"]
)
def test_what_is_no_quantity_is_refused(read: object, text: object) -> None:
    with pytest.raises(ValueError, match="is not"):
        read(text)  # type: ignore[operator]


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2h", NOON - timedelta(hours=2)),
        ("1.5d", NOON - timedelta(hours=36)),
        ("90s", NOON - timedelta(seconds=90)),
        ("2026-11-26T11:30Z", NOON - timedelta(minutes=30)),
        ("2026-11-26 12:30:00+01:00", NOON - timedelta(minutes=30)),
        ("2026-11-26", datetime(2026, 11, 26).astimezone()),
    ],
)
def test_moments(text: str, found: datetime) -> None:
    assert units.moment(text, NOON) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "neither a span nor a time"),
        ("-5m", "neither a span nor a time"),
        ("2h ago", "neither a span nor a time"),
        ("2026-13-01", "neither a span nor a time"),
        ("", "neither a span nor a time"),
        ("9999999d", "longer ago"),
        ("9" * 400 + "d", "longer ago"),
        ("90", "has no unit"),
        ("20261126", "has no unit"),
        (" 1.5 ", "has no unit"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        units.moment(text, NOON)


def test_secrets_are_derived_as_rfc_5869_says() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    for key, info in ((b"k" * 32, b"password db"), (bytes(range(32)), b"")):
        theirs = HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(key)
        assert hkdf(key, info) == theirs


def test_a_derived_secret_stays_and_tells_nothing_of_others(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    before = vault.digest("a")
    vault.create()

    assert Vault(tmp_path).derive("a") == vault.derive("a") != vault.derive("b")
    assert Vault(tmp_path).digest("a") == before
    assert vault.derive("a") not in "".join(p.read_text() for p in tmp_path.iterdir())


def test_a_chosen_secret_is_sealed_at_rest(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.create()
    vault.put("name", "hunter2")

    assert Vault(tmp_path).get("name") == "hunter2"
    for path in tmp_path.iterdir():
        assert "hunter2" not in path.read_text()
        assert path.stat().st_mode & 0o077 == 0
    assert vault.drop("name")
    assert not vault.drop("name")


def test_a_lock_names_its_holder_and_is_freed_by_its_death(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        lock.held(path, holder="`up` of ana", what="acme/test"),
        pytest.raises(Refused, match="up` of ana"),
        lock.held(path, holder="x", what="acme/test"),
    ):
        pass
    child = os.fork()
    if child == 0:
        with lock.held(path, holder="child", what="acme/test"):
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with lock.held(path, holder="x", what="acme/test"):
        pass
    assert not path.exists()


def test_of_many_who_queue_one_at_a_time_has_the_lock_though_its_file_goes(tmp_path: Path) -> None:
    path, counted = tmp_path / "lock", tmp_path / "counted"
    counted.write_text("0")

    def count() -> None:
        for _ in range(25):
            with lock.queued(path):
                before = int(counted.read_text())
                time.sleep(0)  # lets the others in, if anything does
                counted.write_text(str(before + 1))

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.read_text() == "200"
    assert not path.exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert files.write(path, "one", mode=0o600)
    assert not files.write(path, "one", mode=0o600)
    assert files.write(path, "two", mode=0o600)
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_waiting_gives_up_in_time() -> None:
    clock = Hours()
    with pytest.raises(NotReady, match="the moon not ready after 3600 s"):
        wait_until(lambda: False, "the moon", within=timedelta(hours=1), clock=clock)


def test_a_program_that_fails_is_told_by_its_last_line() -> None:
    with pytest.raises(CommandFailed, match="exited 3: why"):
        process.run(["/bin/sh", "-c", "echo noise; echo why >&2; exit 3"], timeout_s=5)
    with pytest.raises(CommandFailed, match="not installed"):
        process.run(["/no/such/program"], timeout_s=5)
    with pytest.raises(NotReady, match=r"no answer in 0\.1 s"):
        process.run(["sleep", "5"], timeout_s=0.1)
