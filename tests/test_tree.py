"""The tree keeps its promises: the matrix is complete, pages are fresh, links lead somewhere."""

import re
from pathlib import Path

import pytest

from cordillera.cli import support_page
from cordillera.components.target import Target

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src/cordillera"
COMPONENTS = set(Target.__annotations__) - {"name", "engine", "verbs"}
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_there_are_sixteen_components() -> None:
    assert len(COMPONENTS) == 16


@pytest.mark.parametrize("target", ["local", "aws"])
def test_every_target_has_a_file_for_every_component(target: str) -> None:
    files = {p.stem for p in (SOURCES / "targets" / target).glob("*.py")}

    assert COMPONENTS - files == set()


def test_every_component_has_its_words() -> None:
    files = {p.stem for p in (SOURCES / "components").glob("*.py")}

    assert COMPONENTS - files == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()]

    assert missing == []


def test_pages_that_the_code_names_are_there() -> None:
    named = {
        found
        for path in SOURCES.rglob("*.py")
        for found in re.findall(r"docs/[\w/.-]+\.md", path.read_text())
    }

    assert [page for page in named if not (ROOT / page).exists()] == []


def test_the_support_page_is_fresh() -> None:
    assert (ROOT / "docs/support.md").read_text() == support_page.text(), "run `make docs`"


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in SOURCES.rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }

    assert long == {}


def test_no_two_test_modules_have_one_name() -> None:
    """Those in folders without `__init__.py` would be refused when all tests are collected together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert sorted(names) == sorted(set(names))
