"""A report is one HTML file that stands alone and shows everything it is given."""

import io
import re

import numpy as np
from PIL import Image

from cosembed.reporting.overlays import encode_png
from cosembed.reporting.panels import labelled_row
from cosembed.reporting.report import Picture, Report, Section, render, write_report


def test_the_report_stands_alone_and_escapes_everything(tmp_path):
    png = encode_png(np.zeros((4, 4, 3), np.uint8))
    sections = [Section("<b>", "a & b", [["x", "y"], ["<1>", "2"]], [Picture('say "hi"', png)])]
    write_report(
        tmp_path / "r.html", Report("<script>alert(1)</script>", [("name", "<i>")], sections, ["mind & this"])
    )
    page = (tmp_path / "r.html").read_text()
    assert page == render(Report("<script>alert(1)</script>", [("name", "<i>")], sections, ["mind & this"]))
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "mind &amp; this" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert all('alt="' in image for image in re.findall(r"<img[^>]*>", page))


def test_a_section_shows_all_its_parts():
    png = encode_png(np.zeros((4, 4, 3), np.uint8))
    row = labelled_row(
        "Frame <3>.", {"input": np.zeros((4, 5, 3), np.uint8), "ours": np.zeros((4, 5, 3), np.uint8)}
    )
    section = Section(
        "h", "one & two\nthree", [["x"], ["y" * 99]], [row], [Picture("a <colour>", png)], "key: <value>"
    )
    page = render(Report("title", [("Command", "track --input=a --set b")], [section]))
    assert "<dd>track <span>--input</span>=a <span>--set</span> b</dd>" in page
    for part in (
        "<p>one &amp; two</p><p>three</p>",
        f"<td class=long>{'y' * 99}</td>",
        "Frame &lt;3&gt;.",
        ">input</figcaption>",
        "a &lt;colour&gt;</li>",
        "<pre>key: &lt;value&gt;</pre>",
    ):
        assert page.count(part) == 1
    assert page.count("data:image/png;base64,") == 3
    with Image.open(io.BytesIO(row.pictures[0].png)) as panel:
        assert panel.size == (280, 224)
