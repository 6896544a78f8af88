"""Hours of low traffic as AWS wants them: windows that are long enough and do not overlap."""

DAY_MINUTES = 24 * 60
LEAST_MINUTES, MAINTENANCE_MINUTES = 30, 60


def backup(window: str) -> str:
    """HH:MM-HH:MM in UTC, half an hour at least."""
    start, length = _read(window)
    return f"{_clock(start)}-{_clock(start + max(length, LEAST_MINUTES))}"


def maintenance(window: str) -> str:
    """The hour after it on Sundays, as ddd:HH:MM-ddd:HH:MM."""
    start, length = _read(window)
    begin = start + max(length, LEAST_MINUTES)
    return f"{_day(begin)}:{_clock(begin)}-{_day(begin + MAINTENANCE_MINUTES)}:" + _clock(
        begin + MAINTENANCE_MINUTES
    )


def _read(window: str) -> tuple[int, int]:
    """(minute of the day at which it begins, minutes it lasts)."""
    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in window.split("-"))
    return start, (end - start) % DAY_MINUTES


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _day(minutes: int) -> str:
    return ("sun", "mon", "tue")[minutes // DAY_MINUTES]
