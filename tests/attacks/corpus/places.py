"""The places of a request that an attack is put into; each makes a whole request of its text."""

import json
from collections.abc import Callable
from urllib.parse import quote
from xml.sax.saxutils import escape

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----------------------------8d6f0e"
HEADERS = (
    "User-Agent", "Referer", "Cookie", "Accept", "Accept-Language", "Authorization", "Origin",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "X-Api-Version", "X-Custom", "X-Filename",
    "X-Original-URL", "Content-Disposition", "If-None-Match", "Range", "Content-Type", "Host",
)  # fmt: skip


def request(
    target: str | bytes,
    *,
    method: str = "GET",
    headers: dict[str, str | bytes] | None = None,
    body: bytes | None = None,
) -> bytes:
    """A request as a browser's, with these headers in place of its own."""
    lines = {"Host": "shop.example", "User-Agent": AGENT, "Accept": "*/*", **(headers or {})}
    if body is not None:
        lines.setdefault("Content-Length", str(len(body)))
    head = method.encode() + b" " + _bytes(target) + b" HTTP/1.1\r\n"
    rest = b"".join(
        name.encode() + b": " + _bytes(value) + b"\r\n" for name, value in lines.items()
    )
    return head + rest + b"\r\n" + (body or b"")


def post(kind: str, body: str | bytes, *, method: str = "POST", target: str = "/save") -> bytes:
    """A request with a body of that Content-Type; an empty one is not told."""
    headers: dict[str, str | bytes] = {"Content-Type": kind} if kind else {}
    return request(target, method=method, headers=headers, body=_bytes(body))


def chunked(kind: str, body: bytes, size: int = 7) -> bytes:
    """The same in chunks of `size` bytes."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    wire = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return (
        request(
            "/save", method="POST", headers={"Content-Type": kind, "Transfer-Encoding": "chunked"}
        )
        + wire
    )


def part(name: str, value: str | bytes, *, file: str = "", kind: str = "", more: str = "") -> bytes:
    """One part of a multipart body."""
    filed = f'; filename="{file}"' if file else ""
    head = f'Content-Disposition: form-data; name="{name}"{filed}\r\n'
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return _bytes(head + more + "\r\n") + _bytes(value) + b"\r\n"


def multipart(*parts: bytes, kind: str = "multipart/form-data", boundary: str = BOUNDARY) -> bytes:
    """A request with these parts."""
    mark = boundary.encode()
    body = b"".join(b"--" + mark + b"\r\n" + one for one in parts) + b"--" + mark + b"--\r\n"
    return post(f"{kind}; boundary={boundary}", body)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _url(text: str) -> str:
    return quote(text, safe="")


def _loose(text: str) -> str:
    """Only what would end the request line, or is no ASCII, is encoded."""
    return quote(text, safe="!\"$&'()*+,/:;<=>?@[\\]^_`{|}~%")


def _line(text: str) -> str:
    """What a header may carry: no line ends."""
    return text.replace("\r", "%0d").replace("\n", "%0a").replace("\0", "%00")


def _quoted(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace('"', '\\"')


def _escaped(text: str) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'


def _in_header(name: str) -> Callable[[str], bytes]:
    return lambda text: request("/", headers={name: _line(text)})


def _json(value: object) -> bytes:
    return post("application/json", json.dumps(value))


def _many(text: str, before: int) -> str:
    return "&".join([*(f"a{i}=1" for i in range(before)), f"q={_url(text)}"])


PLACES: dict[str, Callable[[str], bytes]] = {
    "query": lambda t: request(f"/search?q={_url(t)}"),
    "query loose": lambda t: request(f"/search?q={_loose(t)}"),
    "query second": lambda t: request(f"/search?page=1&q={_url(t)}&sort=up"),
    "query twice": lambda t: request(f"/search?q=1&q={_url(t)}"),
    "query array": lambda t: request(f"/search?q[]={_url(t)}"),
    "query name": lambda t: request(f"/search?{_url(t)}=1"),
    "query alone": lambda t: request(f"/search?{_url(t)}"),
    "path": lambda t: request(f"/shop/{_url(t)}"),
    "path loose": lambda t: request("/" + _loose(t).lstrip("/")),
    "path middle": lambda t: request(f"/shop/{_url(t)}/edit"),
    "path parameter": lambda t: request(f"/shop;{_loose(t)}"),
    "absolute": lambda t: request(f"http://shop.example/search?q={_url(t)}"),
    "fragment": lambda t: request(f"/search#{_loose(t)}"),
    "form": lambda t: post(FORM, f"q={_url(t)}"),
    "form loose": lambda t: post(FORM, f"q={t}"),
    "form second": lambda t: post(FORM, f"a=1&q={_url(t)}&b=2"),
    "form name": lambda t: post(FORM, f"{_url(t)}=1"),
    "form charset": lambda t: post(f"{FORM}; charset=UTF-8", f"q={_url(t)}"),
    "form odd case": lambda t: post("Application/X-WWW-Form-URLEncoded", f"q={_url(t)}"),
    "form put": lambda t: post(FORM, f"q={_url(t)}", method="PUT"),
    "form patch": lambda t: post(FORM, f"q={_url(t)}", method="PATCH"),
    "form delete": lambda t: post(FORM, f"q={_url(t)}", method="DELETE"),
    "form chunked": lambda t: chunked(FORM, f"q={_url(t)}".encode()),
    "form of no kind": lambda t: post("", f"q={_url(t)}"),
    "body of no kind": lambda t: post("", t),
    "body as text": lambda t: post("text/plain", t),
    "json": lambda t: _json({"q": t}),
    "json nested": lambda t: _json({"a": {"b": [{"c": [1, {"q": t}]}]}}),
    "json array": lambda t: _json([1, t]),
    "json alone": lambda t: _json(t),
    "json key": lambda t: _json({t: 1}),
    "json escaped": lambda t: post("application/json", f'{{"q": {_escaped(t)}}}'),
    "json utf-8": lambda t: post("application/json; charset=utf-8", json.dumps({"q": t})),
    "json put": lambda t: post("application/json", json.dumps({"q": t}), method="PUT"),
    "json patch": lambda t: post("application/json", json.dumps({"q": t}), method="PATCH"),
    "json chunked": lambda t: chunked("application/json", json.dumps({"q": t}).encode()),
    "json of no kind": lambda t: post("", json.dumps({"q": t})),
    "json as form": lambda t: post(FORM, json.dumps({"q": t})),
    "json:api": lambda t: post("application/vnd.api+json", json.dumps({"data": {"q": t}})),
    "json problem": lambda t: post("application/problem+json", json.dumps({"q": t})),
    "json event": lambda t: post("application/cloudevents+json", json.dumps({"data": t})),
    "json lines": lambda t: post("application/x-ndjson", json.dumps({"q": t})),
    "graphql": lambda t: _json({"query": "query($q: String){f(q: $q){id}}", "variables": {"q": t}}),
    "xml": lambda t: post("application/xml", f"<a><q>{escape(t)}</q></a>"),
    "xml attribute": lambda t: post("text/xml", f'<a q="{escape(t, {chr(34): "&quot;"})}"/>'),
    "xml raw": lambda t: post("text/xml", t),
    "xml charset": lambda t: post("text/xml; charset=utf-8", f"<a>{escape(t)}</a>"),
    "xml atom": lambda t: post("application/atom+xml", f"<a>{escape(t)}</a>"),
    "xml soap": lambda t: post("application/soap+xml", f"<a>{escape(t)}</a>"),
    "xml of no kind": lambda t: post("", f"<a>{escape(t)}</a>"),
    "multipart": lambda t: multipart(part("q", t)),
    "multipart second": lambda t: multipart(part("a", "1"), part("q", t)),
    "multipart name": lambda t: multipart(part(_quoted(t), "1")),
    "multipart file name": lambda t: multipart(part("f", "x", file=_quoted(t), kind="text/plain")),
    "multipart file": lambda t: multipart(part("f", t, file="a.txt", kind="text/plain")),
    "multipart typed": lambda t: multipart(part("q", t, kind="text/plain; charset=utf-8")),
    "multipart json": lambda t: multipart(part("q", json.dumps({"a": t}), kind="application/json")),
    "multipart chunked": lambda t: chunked(
        f"multipart/form-data; boundary={BOUNDARY}",
        b"--" + BOUNDARY.encode() + b"\r\n" + part("q", t) + b"--" + BOUNDARY.encode() + b"--\r\n",
    ),
    "multipart mixed": lambda t: multipart(part("q", t), kind="multipart/mixed"),
    "multipart related": lambda t: multipart(part("q", t), kind="multipart/related"),
    "cookie": lambda t: request("/", headers={"Cookie": f"a=1; s={_line(t)}; b=2"}),
    "cookie encoded": lambda t: request("/", headers={"Cookie": f"s={_url(t)}"}),
    "cookie name": lambda t: request("/", headers={"Cookie": f"{_url(t)}=1"}),
    "header name": lambda t: request("/", headers={"X-" + _url(t)[:200].replace("%", "-"): "1"}),
    "kept": lambda t: request(f"/static/app.js?q={_url(t)}"),
    "kept path": lambda t: request(f"/static/{_loose(t)}"),
    "kept header": lambda t: request("/static/app.css", headers={"X-Custom": _line(t)}),
    "public": lambda t: request(f"/media/a.png?q={_url(t)}"),
    "public path": lambda t: request(f"/media/{_loose(t)}"),
    "among arguments": lambda t: request(f"/search?{_many(t, 60)}"),
    "999th argument": lambda t: post(FORM, _many(t, 997)),
    "1500th argument": lambda t: post(FORM, _many(t, 1499)),
    "1500th of json": lambda t: _json([*range(1499), t]),
    **{f"header {name}": _in_header(name) for name in HEADERS},
}
"""Name -> what makes the request; `kept` and `public` are paths that the edge answers by itself."""
