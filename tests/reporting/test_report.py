"""A report is one HTML file that stands alone and shows everything it is given."""

import io
import json
import re

import numpy as np
from PIL import Image

from cosembed.reporting.overlays import encode_png
from cosembed.reporting.panels import labelled_row
from cosembed.reporting.report import Picture, Report, Section, Viewer, render, write_report


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


def test_a_viewer_holds_its_data_and_what_shows_it_is_in_the_page_once():
    data = {"group": "</script><b>", "tracks": [[1, 0, 3, 0, None, 0]], "frames": [0, 3]}
    png = encode_png(np.zeros((4, 4, 3), np.uint8))
    viewers = [Viewer("one <tree>", "lineage", data, png), Viewer("another", "lineage", data)]
    page = render(Report("title", [], [Section("trees", pictures=viewers)]))
    found = re.findall(r'<script type="application/json" data-viewer="lineage">(.*?)</script>', page)
    assert [json.loads(text) for text in found] == [data, data]
    assert page.count("<script>") == page.count("class Lineage") == 1 and "class Movie" not in page
    assert page.count("<noscript><img alt=") == 1 and page.count("<noscript><p>") == 1
    assert "one &lt;tree&gt;</figcaption>" in page
    assert not re.search(r'(src|href)="(?!data:)|https?://|url\(', page)
