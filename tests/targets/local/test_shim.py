"""Back-off of programs that end again and again, and logs that do not grow for ever."""

import gzip
import subprocess
from pathlib import Path

import pytest

from cordillera.targets.local import _logs
from cordillera.targets.local._shim import FIRST_DELAY_S, LONGEST_DELAY_S, STEADY_S, next_delay


def test_back_off_doubles_up_to_a_limit_and_ends_with_a_steady_run() -> None:
    delays, delay_s = [], 0.0
    for _ in range(9):
        delay_s = next_delay(delay_s, ran_s=1.0)
        delays.append(delay_s)

    assert delays[:4] == [FIRST_DELAY_S, 1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY_S
    assert next_delay(LONGEST_DELAY_S, ran_s=STEADY_S) == 0.0


@pytest.mark.parametrize(("megabytes", "rotated"), [(11, True), (9, False)])
def test_a_log_is_rotated_above_ten_megabytes_and_goes_on_in_place(
    tmp_path: Path, megabytes: int, rotated: bool
) -> None:
    (tmp_path / "logs").mkdir(mode=0o700)
    log, config = tmp_path / "logs/web.log", tmp_path / "logrotate.conf"
    log.write_bytes(b"a line of a log\n" * (megabytes << 16))
    config.write_text(_logs.RULES.replace("{state}", str(tmp_path)).replace("{su}", ""))
    config.chmod(0o600)
    inode = log.stat().st_ino

    for _ in range(2):
        argv = ["logrotate", "-s", str(tmp_path / "state"), str(config)]
        subprocess.run(argv, check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    old = tmp_path / "logs/web.log.1.gz"
    assert old.exists() is rotated
    assert log.stat().st_ino == inode  # the program goes on writing to the file that it has open
    if rotated:
        assert log.stat().st_size == 0
        assert gzip.decompress(old.read_bytes()).startswith(b"a line of a log\n")
