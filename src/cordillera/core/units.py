"""Units as people write them: spans, sizes, rates, shares. Each parser says what it accepts."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

SPAN_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZE_BYTES = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
NUMBER = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]*)\s*$")


def seconds(value: object) -> float:
    """`500ms`, `30s`, `5m`, `4h`, `10d`; a bare number is seconds. Raises ValueError."""
    number, unit = _split(value, "a span such as 500ms, 30s, 5m, 4h or 10d")
    if unit and unit not in SPAN_S:
        raise ValueError(f"{value!r} is not a span: write it like 500ms, 30s, 5m, 4h or 10d")
    return number * SPAN_S.get(unit, 1.0)


def size(value: object) -> int:
    """`512M`, `1G`, `64K`: powers of 1024; a bare number is bytes. Raises ValueError."""
    number, unit = _split(value, "a size such as 512M or 1G")
    letter = unit.upper().removesuffix("IB").removesuffix("B") if unit else ""
    if letter not in SIZE_BYTES:
        raise ValueError(f"{value!r} is not a size: write it like 64K, 512M or 1G")
    return round(number * SIZE_BYTES[letter])


def rate(value: object) -> float:
    """`10/s`, `600/m`, `5000/h`: as events per second. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    count, _, unit = str(value).partition("/")
    if not NUMBER.match(count) or unit.strip() not in SPAN_S:
        raise ValueError(f"{value!r} is not a rate: write it like 10/s, 600/m or 5000/h")
    return float(count) / SPAN_S[unit.strip()]


def percent(value: object) -> float:
    """`60%` or a bare number, from 0 to 100. Raises ValueError."""
    number, unit = _split(value, "a share such as 60%")
    if unit not in ("", "%") or not 0 <= number <= 100:
        raise ValueError(f"{value!r} is not a share: write it like 60%, from 0% to 100%")
    return number


def moment(text: str, now: datetime) -> datetime:
    """`2h` is that long before `now`; else a time such as `2026-11-26T14:30Z` or a day, of this machine's
    zone where none is written. A bare number would be either, and is refused. Raises ValueError."""
    found = NUMBER.match(text)
    if found and not found[2]:
        raise ValueError(f"{text!r} has no unit: write 90s or 2h, or a day as 2026-11-26")
    try:
        return now - timedelta(seconds=seconds(text))
    except OverflowError:
        raise ValueError(f"{text!r} is longer ago than the calendar knows") from None
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is neither a span nor a time") from None


def _split(value: object, expected: str) -> tuple[float, str]:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not {expected}")
    found = NUMBER.match(str(value))
    if not found:
        raise ValueError(f"{value!r} is not {expected}")
    return float(found[1]), found[2]


def _written(pattern: str) -> Any:
    """What an editor may complete: a bare number, or a text like the pattern."""
    return Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=pattern)]


DIGITS = r"^\s*[0-9]+(\.[0-9]+)?\s*"
Seconds = Annotated[
    float, BeforeValidator(seconds, json_schema_input_type=_written(DIGITS + "(ms|s|m|h|d)?$"))
]
Bytes = Annotated[
    int, BeforeValidator(size, json_schema_input_type=_written(DIGITS + "[KMGTkmgt]?(i?[Bb])?$"))
]
Rate = Annotated[
    float, BeforeValidator(rate, json_schema_input_type=_written(DIGITS + "/(ms|s|m|h|d)$"))
]
Percent = Annotated[
    float, BeforeValidator(percent, json_schema_input_type=_written(DIGITS + "%?$"))
]
