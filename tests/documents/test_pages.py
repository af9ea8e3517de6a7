"""The pages of the documentation: links lead somewhere, the navigation is complete, the README is short."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.helpers.builders import ROOT
from tests.test_architecture import ORDER

LONGEST_README = 110
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES)
# How commands were started before there was `cosembed`.
FORMER = re.compile(r"python -m cosembed\.|cosembed\.commands\.")


def prose(text: str) -> str:
    """A page without its code, in which brackets mean other things."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


def links(text: str) -> list[str]:
    """The targets of the links and pictures of a page that lead to other files or headings here."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links, as Markdown makes it of their words."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def faults(page: Path, text: str) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    for target in links(text):
        name, _, anchor = target.partition("#")
        linked = (page.parent / name) if name else page
        if not linked.exists():
            yield target
            continue
        headings = anchors(text if linked == page else linked.read_text(encoding="utf-8")) if anchor else {""}
        if anchor not in headings:
            yield target


@pytest.mark.parametrize("document", TEXTS)
def test_links_lead_somewhere(document):
    page = ROOT / document
    assert list(faults(page, page.read_text(encoding="utf-8"))) == []


def test_a_link_that_leads_nowhere_would_be_noticed():
    text = "# One heading: with, marks\n[a](none.md) [b](#one-heading-with-marks) [c](#two) `[d](none.md)`"
    assert list(faults(ROOT / "docs" / "index.md", text)) == ["none.md", "#two"]


@pytest.mark.parametrize("document", PAGES)
def test_pages_link_to_nothing_outside_the_website(document):
    page = ROOT / document
    for target in links(page.read_text(encoding="utf-8")):
        assert (page.parent / target.partition("#")[0]).resolve().is_relative_to(ROOT / "docs"), target


def test_every_page_is_in_the_navigation_and_the_other_way_round():
    def pages_of(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [page for value in values for page in pages_of(value)]

    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = pages_of(navigation)
    assert len(listed) == len(set(listed))
    assert sorted(f"docs/{page}" for page in listed) == PAGES


def test_the_index_names_every_page_but_the_notes():
    named = set(links((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    expected = {page.removeprefix("docs/") for page in PAGES if not page.startswith("docs/notes/")}
    assert expected - {"index.md"} <= named


def test_pages_that_the_code_names_exist():
    folders = ("cosembed", "experiments", "benchmarks", "data_specs", "tests", ".github")
    files = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".yml")
    ]
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for path in files
        for page in re.findall(r"docs/[\w/-]+\.(?:md|png)", path.read_text(encoding="utf-8"))
    }
    assert [(file, page) for file, page in sorted(named) if not (ROOT / page).exists()] == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_files_that_pages_name_exist(document):
    named = re.findall(
        r"`((?:cosembed|experiments|benchmarks|data_specs|docs|tests|examples|docker)/[\w./-]+\.\w+)`",
        (ROOT / document).read_text(encoding="utf-8"),
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architecture_names_the_rooms_in_the_order_of_their_imports():
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## The rooms$(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ORDER


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


@pytest.mark.parametrize("document", TEXTS)
def test_no_page_names_a_former_command_or_a_folder_of_some_machine(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", text)
    if document != "CHANGELOG.md":
        assert not FORMER.search(text)
