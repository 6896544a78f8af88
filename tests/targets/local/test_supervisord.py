"""The supervisor's poller."""

import os

from cordillera.targets.local._supervisord import Poller


def test_a_pipe_whose_reader_went_away_is_forgotten_and_not_polled_for_ever() -> None:
    reader, writer = os.pipe()
    poller = Poller(None)
    poller.register_readable(writer)
    os.close(reader)

    poller.poll(0)

    assert writer not in poller.readables
    assert poller._poller.poll(0) == []
    os.close(writer)


def test_what_can_be_read_is_told_and_kept() -> None:
    reader, writer = os.pipe()
    poller = Poller(None)
    poller.register_readable(reader)
    os.write(writer, b"x")

    assert poller.poll(0) == ([reader], [])
    assert reader in poller.readables
    os.close(reader)
    os.close(writer)
