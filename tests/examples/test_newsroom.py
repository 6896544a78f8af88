"""The newsroom as its readers and editors use it, also while a zone is lost."""

import json
import struct
import time
import zlib
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tests.cli import run
from tests.cli.run import EXAMPLES, Shell
from tests.examples.editor import Editor
from tests.targets.local.by_hand import eventually

pytestmark = pytest.mark.slow
NAME = "acme/certification"
EDITED = "Rain"
"""A word that search finds again in every title that the tests give."""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("newsroom")
    with run.shell(folder) as shell:
        up = shell.run(
            "--file",
            str(EXAMPLES / "newsroom/cordillera.yaml"),
            "up",
            NAME,
            "--listen",
            run.free_address(),
        )
        assert up.returncode == 0, up.stderr
        yield shell


@pytest.fixture
def editor(newsroom: Shell) -> Editor:
    made = Editor(state(newsroom)["url"])
    password = newsroom.run("--env", NAME, "secrets", "get", "ADMIN_PASSWORD").stdout.strip()
    made.sign_in(password)
    return made


def state(shell: Shell) -> dict[str, str]:
    found: dict[str, str] = json.loads(shell.run("--env", NAME, "status", "--json").stdout)
    return found


def png(shade: int) -> bytes:
    """A picture of 400 by 300 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes([shade, x % 256, 90])[:3] * 400 for x in range(300))
    head = struct.pack(">IIBBBBB", 400, 300, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def an_article(editor: Editor) -> int:
    """The number of some article that can be edited."""
    for number in range(3, 40):
        if "hero_text" in editor.get(f"/admin/pages/{number}/edit/", may_be_missing=True):
            return number
    raise AssertionError("no article")


def test_what_an_editor_does_is_seen_by_readers(newsroom: Shell, editor: Editor) -> None:
    article = an_article(editor)

    editor.save(article, f"{EDITED} in the valleys")
    eventually(lambda: f"{EDITED} in the valleys" in editor.search(EDITED), "found by search")
    editor.upload("Clouds", png(10))
    assert "Clouds" in editor.get("/admin/images/")
    assert editor.original("Clouds") == png(10)

    editor.post("/newsletter/", {"email": "reader@example.org", "website": ""})
    mails = partial(newsroom.run, "--env", NAME, "mail", "--json")
    eventually(lambda: "reader@example.org" in mails().stdout, "the confirmation is captured")
    assert editor.errors == []


@pytest.mark.parametrize("lost", ["a", "b"])
def test_an_editor_sees_at_most_one_error_page_while_a_zone_is_lost(
    newsroom: Shell, editor: Editor, lost: str
) -> None:
    eventually(lambda: state(newsroom)["healthy"], "healthy", within_s=120)
    article = an_article(editor)
    done: list[int] = []

    assert newsroom.run("--env", NAME, "zone", "lose", lost).returncode == 0
    until, number = time.monotonic() + 30, 0
    while time.monotonic() < until:
        number += 1
        before = len(editor.errors)
        editor.save(article, f"{EDITED} {lost} {number}")
        editor.upload(f"Picture {lost} {number}", png(number % 256))
        editor.search(EDITED)
        if len(editor.errors) == before:
            done.append(number)
    assert newsroom.run("--env", NAME, "zone", "return", lost).returncode == 0

    print(f"{number} rounds, {editor.errors}")
    assert len(editor.errors) <= 1
    saved = f"{EDITED} {lost} {done[-1]}"
    assert f'value="{saved}"' in editor.get(f"/admin/pages/{article}/edit/")
    assert f"Picture {lost} {done[-1]}" in editor.get("/admin/images/")
    eventually(lambda: state(newsroom)["healthy"], "healthy again", within_s=120)
    eventually(lambda: saved in editor.search(EDITED), "what was saved is found", within_s=60)
    for kept in done:
        assert editor.original(f"Picture {lost} {kept}") == png(kept % 256)


def test_the_editor_reads_a_form_as_a_browser_does(tmp_path: Path) -> None:
    from tests.examples.editor import Form

    page = """<form><input name="q"></form>
    <form><input name="title" value="Old"><input type="checkbox" name="x" value="1">
    <input type="checkbox" name="y" value="2" checked><textarea name="body">words</textarea>
    <select name="tz"><option value="a"><option value="b" selected></select>
    <input type="submit" name="go" value="Go"></form>"""

    found = Form(page, having="title").fields

    assert found == [("title", "Old"), ("y", "2"), ("body", "words"), ("tz", "b")]


class Site(BaseHTTPRequestHandler):
    """Refuses one page, lacks another, and sends whoever asks for a third to the login page."""

    def do_GET(self) -> None:
        status = {"/refused": 403, "/missing": 404, "/session-over": 302}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/admin/login/?next=/session-over")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not logged."""


def test_the_editor_counts_refusals_and_being_sent_to_the_login_page() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        editor = Editor(f"http://127.0.0.1:{server.server_port}", signed_in=True)
        editor.get("/")
        editor.get("/missing", may_be_missing=True)
        assert editor.errors == []

        for path in ("/refused", "/missing", "/session-over"):
            editor.get(path)
        server.shutdown()

    told = [error.partition(" after ")[0] for error in editor.errors]
    assert told == [
        "GET /refused: HTTP 403",
        "GET /missing: HTTP 404",
        "GET /session-over: sent to the login page",
    ]
