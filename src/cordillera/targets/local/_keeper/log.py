"""What a keeper writes to its log: one line each, with the time."""

from datetime import UTC, datetime


def say(text: str) -> None:
    """Write a line."""
    print(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}", flush=True)
