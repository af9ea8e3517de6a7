"""Writes a report as one HTML file that opens offline, with its text, tables and pictures inside.

It knows nothing of how they were made.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Literal

from cosembed.files.writing import atomic_write_text

# A cell of a table with more characters than these is broken into lines.
LONG_CELL = 40


@dataclass(frozen=True)
class Picture:
    """Holds a picture and what it shows.

    Attributes:
        caption: What the picture shows; also its alternative text.
        png: The file's bytes, PNG or animated GIF.
    """

    caption: str
    png: bytes


@dataclass(frozen=True)
class Row:
    """Holds pictures that stand side by side, on a narrow screen below each other.

    Attributes:
        caption: What the pictures show together.
        pictures: The pictures, each with a caption of its own.
    """

    caption: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Viewer:
    """Holds what a person can move, enlarge and click.

    Attributes:
        caption: What it shows.
        kind: Which script of `web/` shows it.
        data: What the script reads; its first lines say what that is.
        still: A picture for readers whose program runs no scripts, PNG; may be empty.
    """

    caption: str
    kind: Literal["movie", "lineage", "tiles"]
    data: Mapping[str, Any]
    still: bytes = b""


@dataclass(frozen=True)
class Section:
    """Holds one part of a report; all but the heading may be empty.

    Attributes:
        heading: The part's title.
        text: What to look for; every line is a paragraph.
        table: Rows of cells, the header first.
        pictures: Pictures, rows of pictures and viewers, from top to bottom.
        legend: Small pictures, a colour each, with its meaning as caption.
        code: A long text in fixed width that is folded away.
        link: A file beside the report, by its path from there, and what it shows; may be empty.
    """

    heading: str
    text: str = ""
    table: Sequence[Sequence[str]] = ()
    pictures: Sequence[Picture | Row | Viewer] = ()
    legend: Sequence[Picture] = ()
    code: str = ""
    link: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Report:
    """Holds a whole report.

    Attributes:
        title: The page's title.
        facts: Names and values of what was done and found.
        sections: The report's parts, from top to bottom.
        warnings: Sentences that must be read before anything else.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    warnings: Sequence[str] = field(default_factory=tuple)


def write_report(path: Path, report: Report) -> None:
    """Writes a report as an HTML file, complete or not at all."""
    atomic_write_text(path, render(report))


def render(report: Report) -> str:
    """Renders a report as HTML text that refers to no other file."""
    warnings = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in report.warnings)
    facts = "".join(f"<dt>{html.escape(name)}</dt><dd>{_text(value)}</dd>" for name, value in report.facts)
    sections = "".join(map(_section, report.sections))
    shown = [content for section in report.sections for content in section.pictures]
    kinds = sorted({content.kind for content in shown if isinstance(content, Viewer)})
    return _PAGE.substitute(
        title=html.escape(report.title),
        style=web_text("viewers.css") if kinds else "",
        warnings=warnings,
        facts=facts,
        sections=sections,
        script=viewer_script(kinds) if kinds else "",
    )


def viewer_script(kinds: Sequence[str]) -> str:
    """Makes the element that starts all viewers of a page, which are of these kinds."""
    scripts = [web_text(f"{name}.js") for name in ("viewers", *kinds)]
    return f"<script>\n{''.join(scripts)}startViewers();\n</script>"


def web_text(name: str) -> str:
    """Reads a file of `web/`."""
    return resources.files("cosembed.reporting.web").joinpath(name).read_text(encoding="utf-8")


def viewer_data(kind: str, data: Mapping[str, Any]) -> str:
    """Makes the element that holds what a viewer shows."""
    # Nothing within a script may look like its end.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" data-viewer="{kind}">{text}</script>'


def _section(section: Section) -> str:
    text = "".join(f"<p>{html.escape(line)}</p>" for line in section.text.splitlines())
    legend = "".join(
        f'<li><img alt="" src="{_data(key.png)}">{html.escape(key.caption)}</li>' for key in section.legend
    )
    legend = f'<ul class="legend">{legend}</ul>' if legend else ""
    pictures = "".join(map(_figure, section.pictures))
    pictures = f'<div class="pictures">{pictures}</div>' if pictures else ""
    code = (
        f"<details><summary>show</summary><pre>{html.escape(section.code)}</pre></details>"
        if section.code
        else ""
    )
    target, name = map(html.escape, section.link)
    link = f'<p><a href="{target}">{name}</a></p>' if target else ""
    heading = f"<h2>{html.escape(section.heading)}</h2>"
    return f"<section>{heading}{text}{link}{_table(section.table)}{legend}{pictures}{code}</section>"


def _table(table: Sequence[Sequence[str]]) -> str:
    if not table:
        return ""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table[0])
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in table[1:])
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str) -> str:
    return f"<td{' class=long' if len(text) > LONG_CELL else ''}>{_text(text)}</td>"


def _text(text: str) -> str:
    """Escapes a text as HTML in which no line ends within the name of a flag."""
    return re.sub(r"--[a-z]\w*", r"<span>\g<0></span>", html.escape(text))


def _figure(content: Picture | Row | Viewer) -> str:
    caption = html.escape(content.caption)
    line = f"<figcaption>{caption}</figcaption>"
    if isinstance(content, Row):
        return f'<figure>{line}<div class="row">{"".join(map(_figure, content.pictures))}</div></figure>'
    if isinstance(content, Viewer):
        still = f'<img alt="{caption}" src="{_data(content.still)}">' if content.still else _NO_SCRIPTS
        data = viewer_data(content.kind, content.data)
        return f"<figure>{data}<noscript>{still}</noscript>{line}</figure>"
    return f'<figure><img alt="{caption}" src="{_data(content.png)}">{line}</figure>'


def _data(png: bytes) -> str:
    return f"data:image/{'gif' if png.startswith(b'GIF8') else 'png'};base64,{base64.b64encode(png).decode()}"


_NO_SCRIPTS = "<p>This is shown by a script, and the program that opened the report runs none.</p>"
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1c1c1c; background: #fff;
  margin: 0 auto; max-width: 68rem; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-top: 1px solid #d9d9d9; padding-top: 1rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; }
.warning { background: #fff4e0; border-left: 4px solid #d55e00; padding: .5rem .8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
span { white-space: nowrap; }
.scroll { overflow-x: auto; background:
  linear-gradient(to right, #fff 2rem, #fff0), linear-gradient(to left, #fff 2rem, #fff0),
  linear-gradient(to right, #0003, #0000), linear-gradient(to left, #0003, #0000);
  background-repeat: no-repeat; background-position: left, right, left, right;
  background-size: 4rem 100%, 4rem 100%, .7rem 100%, .7rem 100%;
  background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums;
  font-size: .93rem; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #e4e4e4;
  white-space: nowrap; }
th { font-weight: 600; border-bottom: 2px solid #999; vertical-align: bottom; white-space: normal; }
td { vertical-align: top; }
td.long { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
.pictures { display: grid; gap: 1.8rem; }
figure:has(> .row) > figcaption { color: inherit; font-size: 1rem; margin: 0 0 .4rem; }
.row { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 11.5rem), 1fr)); }
figure { margin: 0; min-width: 0; } img { max-width: min(100%, 46rem); height: auto; display: block; }
figcaption { color: #555; font-size: .9rem; margin-top: .25rem; max-width: 46rem; }
.legend { list-style: none; padding: 0; margin: .4rem 0 1rem; display: flex; flex-wrap: wrap;
  gap: .3rem 1.2rem; }
.legend li { display: flex; align-items: center; gap: .4rem; } .legend img { border: 1px solid #999; }
summary { cursor: pointer; color: #0072b2; } pre { overflow-x: auto; font-size: .85rem; }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } body { padding: .5rem .9rem 3rem; }
}
$style</style>
</head>
<body>
<h1>$title</h1>
$warnings
<dl>$facts</dl>
$sections
$script</body>
</html>
""")
