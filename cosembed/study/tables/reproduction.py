"""Puts all tables of the paper into one document, Markdown and HTML.

This module knows the tables, not how their numbers were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cosembed.reporting.report import Report, Section
from cosembed.study.scores import CellsScores, HeartScores, LeavesScores
from cosembed.study.tables import cells, heart, layout, leaves
from cosembed.study.tables.layout import Origin
from cosembed.study.tables.reported import Reported

TITLE = "Reproduction: the paper's tables, ours beside them"
REPORTED = "as far as known from published reviews of it and what follows from them; each with its confidence"


@dataclass(frozen=True)
class Table:
    """Holds a table of the document; one without rows is missing.

    Attributes:
        title: With the table's number.
        notes: What a reader must know before the numbers, or why there are none.
        rows: The first one is the header.
        origins: What made it, row by row or column by column.
    """

    title: str
    notes: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    origins: Sequence[Origin] = ()

    def noted(self, note: str) -> Table:
        """Gives the table with one more note, ahead of the others."""
        return replace(self, notes=[note, *self.notes])

    def name_of(self, origin: Origin) -> str:
        """Names a row or column in the document, for example `Table 2, DIC-C2DH-HeLa`."""
        return f"{self.title.partition(':')[0]}, {origin.name}"

    def settings(self) -> str:
        """Names recipe and profile of all that is in it, or says that there is nothing."""
        made_by = (origin.provenance for origin in self.origins)
        found = dict.fromkeys(f"recipe {one.recipe}, profile {one.profile}" for one in made_by)
        return "; ".join(found) or "no results"


def heart_table(title: str, scores: HeartScores, reported: Reported) -> Table:
    """Makes Table 1a."""
    table = reported.heart
    return Table(title, heart.header_lines(scores, table), heart.rows(scores, table), heart.origins(scores))


def leaves_table(title: str, scores: LeavesScores, reported: Reported) -> Table:
    """Makes Table 1b."""
    table = reported.leaves
    return Table(
        title, leaves.header_lines(scores, table), leaves.rows(scores, table), leaves.origins(scores)
    )


def cells_table(title: str, scores: Sequence[CellsScores], reported: Reported) -> Table:
    """Makes Table 2."""
    table = reported.cells
    return Table(title, cells.header_lines(scores, table), cells.rows(scores, table), cells.origins(scores))


def markdown(content: Sequence[Table], command: str) -> str:
    """Lays the document out for a repository."""
    head = [*_warnings(content), *(f"{name}: {value}." for name, value in _facts(content, f"`{command}`"))]
    return "\n\n".join([f"# {TITLE}", *head, *map(_markdown, content)]) + "\n"


def report(content: Sequence[Table], command: str) -> Report:
    """Lays the document out for a browser."""
    warnings = _warnings(content)
    notes = {
        table.title: "\n".join(note for note in table.notes if note not in warnings) for table in content
    }
    sections = [Section(table.title, notes[table.title], table.rows) for table in content]
    commands = [
        [table.name_of(origin), origin.provenance.command] for table in content for origin in table.origins
    ]
    if commands:
        sections.append(
            Section("Commands", "What made each row or column.", [["row or column", "command"], *commands])
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
    return layout.as_markdown(title, table.rows, table.notes, table.origins).rstrip()


def _facts(content: Iterable[Table], command: str) -> list[tuple[str, str]]:
    settings = [(table.title, table.settings()) for table in content]
    return [("Written by", command), *settings, ("The paper's values", REPORTED)]


def _warnings(content: Iterable[Table]) -> list[str]:
    return layout.not_a_reproduction(
        origin.provenance.profile for table in content for origin in table.origins
    )


def _deviations(content: Iterable[Table]) -> Iterator[list[str]]:
    for table in content:
        for origin in table.origins:
            for index, deviation in enumerate(origin.provenance.deviations):
                yield ["" if index else table.name_of(origin), *map(layout.readable, deviation)]
