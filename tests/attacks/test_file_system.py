"""What an app may see and write of the machine's files: its own release, and memory of its own."""

import json
import os
import stat
from pathlib import Path

import pytest

from cordillera.core import files
from cordillera.core.errors import CordilleraError
from tests.attacks.town import VICTIM_WORD, Town, release_of

pytestmark = pytest.mark.slow

WRITABLE = """
import json, os
found = []
for top, folders, names in os.walk("/"):
    if top in ("/proc", "/sys", "/dev/pts"):
        folders[:] = []
        continue
    found += [os.path.join(top, n) for n in names if not os.path.islink(os.path.join(top, n))
              and os.access(os.path.join(top, n), os.W_OK) and not top.startswith("/dev")]
    if os.access(top, os.W_OK):
        found.append(top)
        folders[:] = []
print(json.dumps(sorted(found)))
"""


def test_an_app_writes_into_memory_of_its_own_and_nowhere_else(town: Town) -> None:
    assert town.attack(WRITABLE) == ["/dev/shm", "/tmp", "/var/tmp"]


def test_root_writes_into_no_folder_that_an_app_or_a_server_may_write_to(town: Town) -> None:
    site = town.ours.site
    shared = []
    for top in (site.run, site.state):
        for folder, _, names in os.walk(top):
            found = Path(folder).stat()
            own = found.st_uid == 0 and not found.st_mode & 0o022
            root = [n for n in names if (Path(folder) / n).lstat().st_uid == 0]
            if not own and root and "mail-queue" not in folder:
                shared.append((folder, root))
    assert shared == []


def test_a_link_that_is_planted_where_root_writes_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "shadow"
    victim.write_text("root's")
    victim.chmod(0o600)
    open_to_all = tmp_path / "run"
    open_to_all.mkdir()
    open_to_all.chmod(0o1777)
    planted = open_to_all / f".web.json.{os.getpid()}.{__import__('threading').get_native_id()}"
    planted.symlink_to(victim)

    with pytest.raises(CordilleraError, match="writable by others"):
        files.write(open_to_all / "web.json", "mine", mode=0o644, owner=65534)

    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("root's", 0o600)
    assert victim.stat().st_uid == 0


def test_a_folder_that_is_a_link_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(CordilleraError, match="is a link"):
        files.write(tmp_path / "link" / "file", "text")

    assert list((tmp_path / "real").iterdir()) == []


def test_a_tree_that_is_given_away_takes_nobody_elses_file_along(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("root's")
    (tmp_path / "tree").mkdir()
    os.link(victim, tmp_path / "tree/hard")
    (tmp_path / "tree/soft").symlink_to(victim)
    (tmp_path / "tree/own").write_text("its own")

    files.give(tmp_path / "tree", 65534, 65534)

    assert victim.stat().st_uid == 0
    assert (tmp_path / "tree/own").stat().st_uid == 65534


def test_another_environment_and_the_machines_homes_are_not_there(town: Town) -> None:
    theirs, ours = town.theirs.site, town.ours.site
    secret = [theirs.state, theirs.run, theirs.state / "ca.pem", theirs.builds]
    secret += [theirs.zone("a").state / "logs" / "web.log", theirs.zone("a").run / "ca.pem"]
    secret += [Path("/root"), Path("/home"), Path("/var/lib/cordillera"), Path("/run/netns")]
    secret += [ours.state / "intent.json", ours.state / "key", ours.zone("a").state / "database"]
    code = f"import json, os; print(json.dumps([p for p in {list(map(str, secret))} if os.path.exists(p)]))"
    assert all(path.exists() for path in secret[:4])

    assert town.attack(code) == []


def test_a_service_reads_its_own_release_and_no_other(town: Town) -> None:
    own, other = release_of(town, "web"), release_of(town, "other")
    assert own != other
    code = (
        "import json, os\n"
        f"print(json.dumps([os.path.exists({str(own / 'app/app.py')!r}),"
        f" os.path.exists({str(other)!r}), os.access({str(own / 'app')!r}, os.W_OK)]))"
    )
    assert town.attack(code) == [True, False, False]


@pytest.mark.parametrize("user", ["cache", "objects", "firewall", "edge", "proxy", "consensus"])
def test_a_server_reads_no_other_servers_files_and_no_release(town: Town, user: str) -> None:
    zone = town.ours.site.zone("a")
    closed = [zone.state / "database/mysql", zone.files("database") / "mariadb-client.cnf"]
    closed += [zone.run / "exec", zone.state / "logs/web.log", release_of(town, "web") / "app"]
    for path in closed:
        done = town.as_server(user, "ls" if path.is_dir() else "cat", str(path))
        assert done.returncode != 0, f"{user} read {path}: {done.stdout[:200]}"


def test_no_file_in_the_run_folders_tells_others_a_secret(town: Town) -> None:
    for environment in (town.ours, town.theirs):
        site = environment.site
        secrets = {site.vault.derive(n) for n in ("database/root", "cache/cache", "database/db")}
        for path in site.run.rglob("*"):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_mode & 0o007:
                text = path.read_text(errors="replace")
                assert not any(secret in text for secret in (*secrets, VICTIM_WORD)), path


def test_what_is_in_the_run_folder_lies_in_memory(town: Town) -> None:
    mounts = Path("/proc/mounts").read_text().splitlines()
    kinds = {line.split()[1]: line.split()[2] for line in mounts}
    for site in (town.ours.site, town.theirs.site):
        above = next(kinds[str(p)] for p in (site.run, *site.run.parents) if str(p) in kinds)
        assert above == "tmpfs", json.dumps(kinds)
