"""Attacks are sent to Debian's own firewall and to ours in the same run: what it refuses, we refuse."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.attacks.corpus import cases
from tests.attacks.corpus.cases import Case
from tests.attacks.corpus.fronts import Fronts, both
from tests.attacks.corpus.sending import Verdict, send

pytestmark = pytest.mark.slow
SAMPLE = int(os.environ.get("CORDILLERA_CORPUS", cases.SAMPLE))
"""Places and encodings for each attack; 0 is all of them, a million requests."""
SHOWN = 60


@pytest.fixture(scope="module")
def fronts() -> Iterator[Fronts]:
    with both() as made:
        yield made


def test_what_a_plain_firewall_refuses_the_application_behind_ours_does_not_see(
    fronts: Fronts,
) -> None:
    sent = list(cases.attacks(SAMPLE))

    plain, ours = verdicts(fronts, sent)
    ours = as_seen(fronts, sent, plain, ours)

    print(table(sent, plain, ours))
    passed = [_line(c, p, o) for c, p, o in zip(sent, plain, ours, strict=True) if _hole(p, o)]
    assert not passed, "\n".join([f"{len(passed)} passed", *passed[:SHOWN]])


def test_ordinary_use_is_refused_no_more_often_than_by_a_plain_firewall(fronts: Fronts) -> None:
    sent = list(cases.benign())

    plain, ours = verdicts(fronts, sent)

    print(table(sent, plain, ours))
    more = [
        c.text for c, p, o in zip(sent, plain, ours, strict=True) if o.refused and not p.refused
    ]
    print("refused:", *(c.text for c, o in zip(sent, ours, strict=True) if o.refused), sep="\n  ")
    assert more == []


def verdicts(fronts: Fronts, sent: Sequence[Case]) -> tuple[list[Verdict], list[Verdict]]:
    """Of Debian's and of ours, asked at the same time."""
    with ThreadPoolExecutor(2) as pool:
        plain, ours = pool.submit(send, sent, fronts.plain), pool.submit(send, sent, fronts.ours)
        return plain.result(), ours.result()


def as_seen(
    fronts: Fronts, sent: Sequence[Case], plain: Sequence[Verdict], ours: Sequence[Verdict]
) -> list[Verdict]:
    """Ours, where what reached the application is an attack: a plain firewall would refuse that too.

    On a cached path the application gets no header and on a public one no query: what is left is harmless.
    """
    doubtful = [n for n, pair in enumerate(zip(plain, ours, strict=True)) if _hole(*pair)]
    told = [n for n in doubtful if ours[n].got]
    again = [replace(sent[n], raw=ours[n].got, alone=True) for n in told]
    harmless = {n for n, v in zip(told, send(again, fronts.plain), strict=True) if not v.refused}
    print(
        f"{len(doubtful)} doubtful, {len(harmless)} of them reached the application without the attack"
    )
    return [replace(v, seen=False) if n in harmless else v for n, v in enumerate(ours)]


def table(sent: Sequence[Case], plain: Sequence[Verdict], ours: Sequence[Verdict]) -> str:
    """Per class and per place: sent, refused by each, and what only ours let pass."""
    lines = [f"\n{'':28}{'sent':>7}{'plain':>7}{'ours':>7}{'passed':>7}"]
    for key in ("kind", "place", "encoding"):
        counts: Counter[tuple[str, str]] = Counter()
        for case, p, o in zip(sent, plain, ours, strict=True):
            name = getattr(case, key)
            counts[name, "sent"] += 1
            counts[name, "plain"] += p.refused
            counts[name, "ours"] += o.refused
            counts[name, "passed"] += _hole(p, o)
        lines.append(f"by {key}")
        lines += [_row(name, counts) for name in sorted({name for name, _ in counts})]
    total = Counter(p.status for p in plain), Counter(o.status for o in ours)
    holes = sum(map(_hole, plain, ours))
    refused = sum(p.refused for p in plain), sum(o.refused for o in ours)
    return "\n".join([*lines, f"all: {len(sent)} sent, refused {refused}, passed {holes}; {total}"])


def _row(name: str, counts: Counter[tuple[str, str]]) -> str:
    told = (counts[name, column] for column in ("sent", "plain", "ours", "passed"))
    return f"  {name:26}" + "".join(f"{count:7}" for count in told)


def _hole(plain: Verdict, ours: Verdict) -> bool:
    return plain.refused and ours.seen


def _line(case: Case, plain: Verdict, ours: Verdict) -> str:
    told = f"{case.kind} | {case.place} | {case.encoding} | {case.text[:90]!r}"
    return f"{told}: plain {plain.status}, ours {ours.status}"
