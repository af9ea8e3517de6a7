"""A report as one HTML file that opens offline: text, tables and pictures inside. Knows nothing of how they were made."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from cosembed.files import atomic_write_text


@dataclass(frozen=True)
class Picture:
    """A PNG (or an animated GIF) with what it shows, which is also its alternative text."""

    caption: str
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading, a sentence on what to look for, a table (header first) and pictures, all but the heading optional."""

    heading: str
    text: str = ""
    table: Sequence[Sequence[str]] = ()
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Report:
    """A title, warnings that must be read first, a few facts, and sections."""

    title: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    warnings: Sequence[str] = field(default_factory=tuple)


def write_report(path: Path, report: Report) -> None:
    """Writes the report, complete or not at all."""
    atomic_write_text(path, render(report))


def render(report: Report) -> str:
    """The report as HTML text without any reference to another file."""
    warnings = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in report.warnings)
    facts = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in report.facts)
    sections = "".join(map(_section, report.sections))
    return _PAGE.substitute(title=html.escape(report.title), warnings=warnings, facts=facts, sections=sections)


def _section(section: Section) -> str:
    text = f"<p>{html.escape(section.text)}</p>" if section.text else ""
    pictures = "".join(map(_picture, section.pictures))
    pictures = f'<div class="pictures">{pictures}</div>' if pictures else ""
    return f"<section><h2>{html.escape(section.heading)}</h2>{text}{_table(section.table)}{pictures}</section>"


def _table(table: Sequence[Sequence[str]]) -> str:
    if not table:
        return ""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table[0])
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table[1:])
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _picture(picture: Picture) -> str:
    data, caption = base64.b64encode(picture.png).decode(), html.escape(picture.caption)
    kind = "gif" if picture.png.startswith(b"GIF8") else "png"
    return f'<figure><img alt="{caption}" src="data:image/{kind};base64,{data}"><figcaption>{caption}</figcaption></figure>'


_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1c1c1c; background: #fff; margin: 0 auto;
  max-width: 68rem; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-top: 1px solid #d9d9d9; padding-top: 1rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; }
.warning { background: #fff4e0; border-left: 4px solid #d55e00; padding: .5rem .8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; font-size: .93rem; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th { font-weight: 600; border-bottom: 2px solid #999; }
.pictures { display: grid; gap: 1.2rem; }
figure { margin: 0; } img { max-width: 100%; height: auto; display: block; image-rendering: auto; }
figcaption { color: #555; font-size: .9rem; margin-top: .25rem; max-width: 46rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } body { padding: .5rem .9rem 3rem; } }
</style>
</head>
<body>
<h1>$title</h1>
$warnings
<dl>$facts</dl>
$sections
</body>
</html>
""")
