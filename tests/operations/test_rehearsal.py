"""The oracle of a rehearsal: what it counts, and what it says."""

from html.parser import HTMLParser

from cordillera.components.state import EnvironmentState, Member, ResourceState
from cordillera.operations.rehearsal import report
from cordillera.operations.rehearsal.client import Answer
from cordillera.operations.rehearsal.load import sample
from cordillera.operations.rehearsal.record import Record, Sample

KEPT, REFUSED, SHOWN, GONE = (
    Answer(201, "", 0.1, repeated=False),
    Answer(503, "", 0.2, repeated=False),
    Answer(200, "k", 0.1, repeated=True),
    Answer(0, "", 9.0, repeated=True, why="RemoteDisconnected"),
)


def rehearsed() -> Record:
    record = Record(run="r", seconds=10.0)
    record.note("POST", "database", "r-1", KEPT, 1.0)
    record.note("POST", "database", "r-2", KEPT, 2.0)
    record.note("POST", "database", "r-3", REFUSED, 4.0)
    record.note("POST", "database", "r-4", KEPT, 8.5)
    record.note("POST", "objects", "r-5", KEPT, 8.6)
    record.note("GET", "database", "r-1", SHOWN, 9.0)
    record.note("GET", "page", "", GONE, 9.5)
    return record


def test_what_was_acknowledged_and_is_not_there_is_lost() -> None:
    world = {"database": ["r-1", "r-4", "r-3"], "cache": [], "objects": ["r-5"], "queue": []}

    lost = rehearsed().lost(world)

    assert lost == {"database": ["r-2"], "cache": [], "objects": [], "queue": []}


def test_pauses_failures_and_repeats_are_counted() -> None:
    record = rehearsed()

    assert record.longest_pause_s("database") == 6.5
    assert record.longest_pause_s("cache") == 10.0
    assert [what for _, what in record.failed_gets] == ["page: RemoteDisconnected"]
    assert [what for _, what in record.failed_writes] == ["database: 503"]
    assert record.repeated == 2
    assert record.slowest[9] == 9.0


def test_a_status_that_stays_green_while_requests_fail_is_told() -> None:
    record = Record(run="r")
    for second in range(10, 20):
        record.note("GET", "page", "", REFUSED, float(second))
    record.samples = [Sample(float(s), s < 16 or s > 18, "a", 0.0, "") for s in range(30)]

    assert record.green_while_failing_s() == 6.0


def test_somebody_who_waits_is_a_failure_too() -> None:
    record = Record(run="r")
    record.note("POST", "database", "r-1", Answer(201, "", 12.0, repeated=False), 20.0)
    record.samples = [Sample(float(s), s < 14, "a", 0.0, "") for s in range(30)]

    assert record.green_while_failing_s() == 4.0  # it waited since 8, two seconds are patience


def test_a_status_that_turns_red_at_once_is_no_lie() -> None:
    record = Record(run="r")
    record.note("GET", "page", "", REFUSED, 10.5)
    record.note("GET", "page", "", REFUSED, 11.5)
    record.samples = [Sample(float(s), s <= 10, "a", 0.0, "") for s in range(30)]

    assert record.green_while_failing_s() == 0.5


def test_a_sample_shows_who_writes_and_how_far_the_replica_is_behind() -> None:
    members = (Member("a", "writer", healthy=True), Member("b", "replica", healthy=True, lag_s=2.0))
    resource = ResourceState("database", True, True, "x", members=members)
    state = EnvironmentState("e", "u", services={}, resources={"db": resource}, zones={})

    found = sample(state, 3.0)

    assert (found.writer, found.lag_s, found.at_s) == ("a", 2.0, 3.0)


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())


def test_the_report_is_one_whole_page_with_every_figure() -> None:
    record = rehearsed()
    record.samples = [Sample(float(s), True, "a", None, "") for s in range(10)]
    record.events = [(3.0, "zone a <killed>")]
    lost = {"database": ["r-2"], "cache": [], "objects": [], "queue": []}

    page = report.page("acme/test: a rehearsal", record, lost, 12)

    texts = _Texts()
    texts.feed(page)
    assert texts.open == []
    assert "zone a <killed>" in texts.found
    for what, figure, _ in report.others(record):
        assert what in texts.found
        assert figure in texts.found
    for kind, cells in report.by_kind(record, lost):
        assert kind in texts.found
        assert all(figure in texts.found for figure, _ in cells)
    assert "writer: a" in texts.found
    assert '<td class="n bad">1</td>' in page
