"""The pages that visitors see when the app cannot answer, in English and Spanish."""

from collections.abc import Iterator
from pathlib import Path

REFUSED = (400, 403, 413)
STYLE = (
    ":root{color-scheme:light dark;font:18px/1.6 system-ui,sans-serif}"
    "body{max-width:34rem;margin:15vh auto;padding:0 1.5rem}h1{font-size:1.5rem}"
    "p{opacity:.8}section+section{margin-top:2.5rem;padding-top:1.5rem;border-top:1px solid #8884}"
)
PAGE = (
    '<!doctype html><html lang="{lang}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title>'
    "<style>{style}</style>{sections}</html>"
)
SECTION = '<section lang="{lang}"><h1>{title}</h1><p>{text}</p></section>'

TEXTS: dict[int, dict[str, tuple[str, str]]] = {
    400: {
        "en": ("This request cannot be understood", "Check its address, then try again."),
        "es": ("No se entiende esta solicitud", "Revise la dirección e inténtelo de nuevo."),
    },
    403: {
        "en": (
            "This request was not let through",
            "If it should have been, tell whoever runs this site.",
        ),
        "es": (
            "No se dejó pasar esta solicitud",
            "Si debería pasar, avise a quien administra este sitio.",
        ),
    },
    413: {
        "en": ("This is too large", "Send a smaller file."),
        "es": ("Es demasiado grande", "Envíe un archivo más pequeño."),
    },
    421: {
        "en": ("This site is not here", "Check its address, then try again."),
        "es": ("Este sitio no está aquí", "Revise la dirección e inténtelo de nuevo."),
    },
    429: {
        "en": ("Too many requests", "Please wait a few minutes, then try again."),
        "es": ("Demasiadas solicitudes", "Espere unos minutos y vuelva a intentarlo."),
    },
    502: {
        "en": ("The site gave no proper answer", "Please try again in a moment."),
        "es": ("El sitio no respondió correctamente", "Vuelva a intentarlo en un momento."),
    },
    503: {
        "en": (
            "The site is not available right now",
            "It is being looked after. Please try again shortly.",
        ),
        "es": (
            "El sitio no está disponible ahora",
            "Se está atendiendo. Vuelva a intentarlo en breve.",
        ),
    },
    504: {
        "en": ("The site took too long to answer", "Please try again in a moment."),
        "es": ("El sitio tardó demasiado en responder", "Vuelva a intentarlo en un momento."),
    },
}
REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    413: "Content Too Large",
    421: "Misdirected Request",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def files() -> dict[str, str]:
    """File name -> page, for each status that the firewall answers with and each language."""
    return {
        f"{status}.{lang}.html": _page({lang: text})
        for status in REFUSED
        for lang, text in TEXTS[status].items()
    }


def rules(folder: Path, *, ours: str) -> Iterator[str]:
    """Lines of an HAProxy that put our page in place of an answer with the header `ours`."""
    yield "http-request set-var(txn.spanish) bool(true) if { req.hdr(Accept-Language) -m beg -i es }"
    yield f"http-response set-var(txn.refused) bool(true) if {{ res.hdr({ours}) -m found }}"
    yield f"http-response del-header {ours}"
    for status in REFUSED:
        for lang, spoken in (("es", ""), ("en", "!")):
            page = f'content-type "text/html; charset=utf-8" file {folder}/{status}.{lang}.html'
            yield (
                f"http-response return status {status} {page} hdr Cache-Control no-store if"
                f" {{ var(txn.refused) -m bool }} {{ status {status} }}"
                f" {spoken}{{ var(txn.spanish) -m bool }}"
            )


def errors() -> dict[int, str]:
    """Status -> whole HTTP answer with both languages, for HAProxy, which cannot choose."""
    return {
        status: f"HTTP/1.0 {status} {REASONS[status]}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n{_page(texts)}"
        for status, texts in TEXTS.items()
    }


def _page(texts: dict[str, tuple[str, str]]) -> str:
    first = next(iter(texts))
    sections = "".join(SECTION.format(lang=lang, title=t, text=x) for lang, (t, x) in texts.items())
    return PAGE.format(lang=first, title=texts[first][0], style=STYLE, sections=sections)
