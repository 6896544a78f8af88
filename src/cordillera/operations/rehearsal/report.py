"""A rehearsal as a page: what was lost, how long it took, and a timeline. One file, no scripts."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from cordillera.operations.rehearsal.record import KINDS, Record, Sample

BACK_WITHIN_S, GREEN_S = 10.0, 3.0
"""What is promised: writes are back, and a status that does not lie for longer."""
WIDTH, HEIGHT, BAND, LEFT = 900, 120, 50, 60
WELL, ILL = "#2d7a46", "#b3261e"
COLOURS = {"a": "#0b5d5e", "b": "#b3641d", "c": "#4a4a8a", "": "#d9d4c7"}
TEMPLATE = Path(__file__).with_name("report.html")


def page(title: str, record: Record, lost: Mapping[str, Sequence[str]], seconds: float) -> str:
    """The report. Pure."""
    subtitle = f"{sum(record.requests.values())} requests in {seconds:.0f} s."
    charts = [
        _chart("requests a second", record, dict(record.requests), seconds, "#0b5d5e"),
        _chart("slowest answer, seconds", record, record.slowest, seconds, "#b3641d"),
        _chart("failures a second", record, _failures(record), seconds, "#b3261e"),
        _bands(_writers(record), record, [COLOURS.get(s.writer, "#888") for s in record.samples], seconds),
        _bands("status", record, [WELL if s.healthy else ILL for s in record.samples], seconds),
        _chart("replica behind, seconds", record, _lag(record.samples), seconds, "#4a4a8a"),
    ]  # fmt: skip
    rows = "".join(_row(name, [(value, bad)]) for name, value, bad in others(record))
    kinds = "".join(_row(kind, cells) for kind, cells in by_kind(record, lost))
    return TEMPLATE.read_text().format(
        title=html.escape(title), subtitle=subtitle, kinds=kinds, rows=rows, charts="".join(charts)
    )


def by_kind(
    record: Record, lost: Mapping[str, Sequence[str]]
) -> list[tuple[str, list[tuple[str, bool | None]]]]:
    """Kind -> acknowledged, lost, longest time without a write; each with whether it is bad. Pure."""
    return [
        (kind, [
            (str(len(record.acknowledged[kind])), None),
            (str(len(lost[kind])), bool(lost[kind])),
            (f"{record.longest_pause_s(kind):.1f} s", record.longest_pause_s(kind) > BACK_WITHIN_S),
        ])
        for kind in KINDS
    ]  # fmt: skip


def others(record: Record) -> list[tuple[str, str, bool | None]]:
    """(what, figure, whether it is bad; None: neither). Pure."""
    green_s = record.green_while_failing_s()
    return [
        ("GETs that failed", str(len(record.failed_gets)), bool(record.failed_gets)),
        ("writes that were refused", str(len(record.failed_writes)), None),
        ("requests repeated once", str(record.repeated), None),
        ("called healthy while clients failed", f"{green_s:.1f} s", green_s > GREEN_S),
    ]


def facts(record: Record, lost: Mapping[str, Sequence[str]]) -> list[tuple[str, str, bool | None]]:
    """(what, figure, whether it is bad), one after the other, as the terminal shows them. Pure."""
    names = ("acknowledged", "lost", "longest time without a write")
    kinds = [
        (f"{kind}: {name}", value, bad)
        for kind, cells in by_kind(record, lost)
        for name, (value, bad) in zip(names, cells, strict=True)
    ]
    return [*kinds, *others(record)]


def _failures(record: Record) -> dict[int, float]:
    found: dict[int, float] = {}
    for at, _ in (*record.failed_gets, *record.failed_writes):
        found[int(at)] = found.get(int(at), 0.0) + 1
    return found


def _lag(samples: Sequence[Sample]) -> dict[int, float]:
    return {int(s.at_s): s.lag_s for s in samples if s.lag_s is not None}


def _row(name: str, cells: Sequence[tuple[str, bool | None]]) -> str:
    kinds = {True: "bad", False: "good", None: ""}
    shown = (f'<td class="n {kinds[bad]}">{html.escape(value)}</td>' for value, bad in cells)
    return f"<tr><td>{html.escape(name)}</td>{''.join(shown)}</tr>"


def _writers(record: Record) -> str:
    """`writer: b, a`, in the order in which they wrote."""
    zones = dict.fromkeys(sample.writer for sample in record.samples if sample.writer)
    return "writer: " + (", ".join(zones) or "none")


def _chart(
    name: str, record: Record, values: Mapping[int, float], seconds: float, colour: str
) -> str:
    top = max([*values.values(), 1e-3])
    step = (WIDTH - LEFT) / max(seconds, 1)
    bars = "".join(
        f'<rect x="{LEFT + second * step:.1f}" y="{HEIGHT - 20 - value / top * (HEIGHT - 40):.1f}" '
        f'width="{max(step - 0.5, 0.5):.1f}" height="{value / top * (HEIGHT - 40):.1f}" fill="{colour}"/>'
        for second, value in values.items()
    )
    label = f'<text x="0" y="12">{html.escape(name)}</text><text x="0" y="32">{top:.3g}</text>'
    return _svg(HEIGHT, label + bars + _events(record, seconds, HEIGHT))


def _bands(name: str, record: Record, colours: Sequence[str], seconds: float) -> str:
    """What each sample said, up to the next one."""
    step = (WIDTH - LEFT) / max(seconds, 1)
    begins = [sample.at_s for sample in record.samples]
    bars = "".join(
        f'<rect x="{LEFT + at * step:.1f}" y="16" width="{max(end - at, 0) * step:.1f}" '
        f'height="16" fill="{colour}"/>'
        for at, end, colour in zip(begins, [*begins[1:], seconds], colours, strict=True)
    )
    label = f'<text x="0" y="28">{html.escape(name)}</text>'
    return _svg(BAND, label + bars + _events(record, seconds, BAND))


def _events(record: Record, seconds: float, height: int) -> str:
    step = (WIDTH - LEFT) / max(seconds, 1)
    return "".join(
        f'<line x1="{LEFT + at * step:.1f}" x2="{LEFT + at * step:.1f}" y1="0" y2="{height - 18}" '
        f'stroke="currentColor" stroke-dasharray="3"/><text x="{LEFT + at * step + 3:.1f}" '
        f'y="{height - 4}">{html.escape(what)}</text>'
        for at, what in record.events
    )


def _svg(height: int, body: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{body}</svg>'
