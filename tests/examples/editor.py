"""An editor of the newsroom: fills in the admin's forms as a browser would, and counts error pages.

A page that was refused is one too, and so is the login page for somebody who is signed in.
"""

import http
import http.client
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar

TIMEOUT_S = 60.0
LOGIN = "/admin/login/"


class Form(HTMLParser):
    """The fields of a page's form whose action is `action` (or the first with a token), with their values."""

    def __init__(self, text: str, *, having: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._open: list[tuple[str, str]] | None = None
        self._area, self._select = "", ""
        self._having = having
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name") or ""
        if tag == "form":
            self._open = []
        elif self._open is None:
            return
        elif tag == "input" and name:
            kind = found.get("type", "text")
            ticked = kind not in ("checkbox", "radio") or "checked" in found
            if ticked and kind not in ("submit", "file", "button"):
                self._open.append((name, found.get("value") or ""))
        elif tag == "textarea":
            self._area = name
            self._open.append((name, ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self._open.append((self._select, found.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._area and self._open:
            name, value = self._open[-1]
            self._open[-1] = name, value + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form" and self._open is not None:
            if any(name == self._having for name, _ in self._open):
                self.fields = self._open
            self._open = None


@dataclass
class Editor:
    """Signed in at `url`; `errors` are the error pages seen, each with what was tried."""

    url: str
    errors: list[str] = field(default_factory=list)
    signed_in: bool = False

    def __post_init__(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )

    def sign_in(self, password: str) -> None:
        """As the administrator. Fails when that is refused."""
        fields = dict(Form(self.get(LOGIN), having="username").fields)
        text = self.post(LOGIN, {**fields, "username": "admin", "password": password})
        assert "didn't match" not in text
        self.signed_in = True

    def save(self, page: int, title: str) -> str:
        """Give a page another title and publish it."""
        path = f"/admin/pages/{page}/edit/"
        fields = Form(self.get(path), having="title").fields
        changed = [(name, title if name == "title" else value) for name, value in fields]
        return self.post(path, [*changed, ("action-publish", "action-publish")])

    def upload(self, title: str, image: bytes) -> str:
        """Add an image."""
        fields = Form(self.get("/admin/images/add/"), having="title").fields
        kept = [(n, title if n == "title" else v) for n, v in fields]
        return self._multipart("/admin/images/add/", kept, ("file", f"{title}.png", image))

    def original(self, title: str) -> bytes:
        """The image that was uploaded under that title, as it is kept."""
        name = f"{title.replace(' ', '_')}.png"
        return self._fetch(urllib.request.Request(f"{self.url}/originals/original_images/{name}"))

    def search(self, words: str) -> str:
        """The result page of the site's own search."""
        return self.get("/search/?" + urllib.parse.urlencode({"q": words}))

    def get(self, path: str, *, may_be_missing: bool = False) -> str:
        """A page's text; an error page is counted, unless it only says that there is no such page."""
        request = urllib.request.Request(self.url + path)
        return self._ask(request, may_be_missing=may_be_missing)

    def post(self, path: str, fields: dict[str, str] | list[tuple[str, str]]) -> str:
        """The page that comes after a form."""
        return self._ask(self._form(path, urllib.parse.urlencode(fields).encode(), ""))

    def _multipart(
        self, path: str, fields: list[tuple[str, str]], file: tuple[str, str, bytes]
    ) -> str:
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields
        ]
        head = f'form-data; name="{file[0]}"; filename="{file[1]}"'
        parts.append(f"--{mark}\r\nContent-Disposition: {head}\r\n".encode())
        parts.append(b"Content-Type: image/png\r\n\r\n" + file[2] + f"\r\n--{mark}--\r\n".encode())
        return self._ask(self._form(path, b"".join(parts), f"multipart/form-data; boundary={mark}"))

    def _form(self, path: str, body: bytes, kind: str) -> urllib.request.Request:
        request = urllib.request.Request(self.url + path, data=body)
        request.add_header("Referer", self.url + path)
        if kind:
            request.add_header("Content-Type", kind)
        return request

    def _ask(self, request: urllib.request.Request, *, may_be_missing: bool = False) -> str:
        return self._fetch(request, may_be_missing=may_be_missing).decode(errors="replace")

    def _fetch(self, request: urllib.request.Request, *, may_be_missing: bool = False) -> bytes:
        begun = time.monotonic()
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                body: bytes = answer.read()
                if self.signed_in and self._is_login(answer.geturl()):
                    self._note(request, "sent to the login page", begun)
                return body
        except urllib.error.HTTPError as e:
            if not (may_be_missing and e.code == http.HTTPStatus.NOT_FOUND):
                self._note(request, f"HTTP {e.code}", begun)
            return e.read()
        except (OSError, http.client.HTTPException) as e:
            self._note(request, type(e).__name__, begun)
            return b""

    def _is_login(self, url: str) -> bool:
        return urllib.parse.urlsplit(url).path == LOGIN

    def _note(self, request: urllib.request.Request, what: str, begun: float) -> None:
        seconds = time.monotonic() - begun
        self.errors.append(
            f"{request.get_method()} {request.selector}: {what} after {seconds:.1f} s"
        )
