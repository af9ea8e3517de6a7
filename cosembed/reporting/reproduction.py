"""All tables of the paper in one document, Markdown and HTML. Knows the tables, not how their numbers were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cosembed.reporting import table1a, table1b, tables
from cosembed.reporting.report import Report, Section

TITLE = "Reproduction: the paper's tables, ours beside them"
REPORTED = "as far as known from published reviews of it and what follows from them; each with its confidence"


@dataclass(frozen=True)
class Made:
    """What made the numbers of a row or column.

    Attributes:
        name: Of the row or column.
        recipe: paper or released.
        profile: The profile's name.
        command: What made them.
        deviations: (key, the paper's value, ours).
    """

    name: str
    recipe: str
    profile: str
    command: str
    deviations: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Table:
    """A table of the document; one without rows is missing.

    Attributes:
        title: With the table's number.
        notes: What a reader must know before the numbers, or why there are none.
        rows: The first one is the header.
        made: What made it, row by row or column by column.
    """

    title: str
    notes: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    made: Sequence[Made] = ()

    def noted(self, note: str) -> Table:
        """The table with one more note, ahead of the others."""
        return replace(self, notes=[note, *self.notes])

    def name_of(self, made: Made) -> str:
        """For example `Table 2, DIC-C2DH-HeLa`."""
        return f"{self.title.partition(':')[0]}, {made.name}"

    def settings(self) -> str:
        """Recipe and profile of all that is in it, or that there is nothing."""
        found = dict.fromkeys(f"recipe {made.recipe}, profile {made.profile}" for made in self.made)
        return "; ".join(found) or "no results"


def ventricle(title: str, scores: table1a.VentricleScores) -> Table:
    """Table 1a."""
    made = [
        Made(name, scores.recipe, scores.profile, scores.command, variant.deviations)
        for name, variant in scores.variants.items()
    ]
    return Table(title, table1a.header_lines(scores), table1a.rows(scores), made)


def leaves(title: str, scores: table1b.LeafScores) -> Table:
    """Table 1b."""
    made = [Made("ours and the baseline", scores.recipe, scores.profile, scores.command, scores.deviations)]
    return Table(title, table1b.header_lines(scores), table1b.rows(scores), made)


def cells(title: str, scores: Sequence[tables.DatasetScores]) -> Table:
    """Table 2."""
    made = [
        Made(entry.dataset, entry.recipe, entry.profile, entry.command, entry.deviations) for entry in scores
    ]
    return Table(title, tables.header_lines(scores), tables.table2_rows(scores), made)


def markdown(content: Sequence[Table], command: str) -> str:
    """The document for a repository."""
    head = [*_warnings(content), *(f"{name}: {value}." for name, value in _facts(content, f"`{command}`"))]
    return "\n\n".join([f"# {TITLE}", *head, *map(_markdown, content)]) + "\n"


def report(content: Sequence[Table], command: str) -> Report:
    """The document for a browser."""
    warnings = _warnings(content)
    notes = {
        table.title: "\n".join(note for note in table.notes if note not in warnings) for table in content
    }
    sections = [Section(table.title, notes[table.title], table.rows) for table in content]
    made = [[table.name_of(entry), entry.command] for table in content for entry in table.made]
    if made:
        sections.append(
            Section("Commands", "What made each row or column.", [["row or column", "command"], *made])
        )
    changed = list(_deviations(content))
    if changed:
        header = ["row or column", "value", "paper", "here"]
        sections.append(Section("Where these runs differ from the paper's size", "", [header, *changed]))
    return Report(TITLE, _facts(content, command), sections, warnings)


def _markdown(table: Table) -> str:
    title = f"## {table.title}"
    if not table.rows:
        return "\n\n".join([title, *table.notes])
    made = [(entry.name, entry.command, entry.deviations) for entry in table.made]
    return tables.as_markdown(title, [list(row) for row in table.rows], table.notes, made).rstrip()


def _facts(content: Iterable[Table], command: str) -> list[tuple[str, str]]:
    settings = [(table.title, table.settings()) for table in content]
    return [("Written by", command), *settings, ("The paper's values", REPORTED)]


def _warnings(content: Iterable[Table]) -> list[str]:
    profiles = {entry.profile for table in content for entry in table.made} - {"paper"}
    return [tables.NOT_A_REPRODUCTION.format(profile=profile) for profile in sorted(profiles)]


def _deviations(content: Iterable[Table]) -> Iterator[list[str]]:
    for table in content:
        for entry in table.made:
            for index, deviation in enumerate(entry.deviations):
                yield ["" if index else table.name_of(entry), *map(tables.readable, deviation)]
