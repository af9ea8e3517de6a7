"""Reports work in a browser: wide and on a phone, offline, without an error, and a click gives a cell's row.

Needs playwright and a Chromium: its path in COSEMBED_TEST_CHROMIUM, or playwright's own.
"""

import io
import os

import numpy as np
import pytest
from PIL import Image

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting.colours import label_colours
from cosembed.reporting.player import lineage_viewer, movie_viewer, pack_frame
from cosembed.reporting.report import Report, Section, write_report
from cosembed.reporting.tiles import TiledFrames

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        path = os.environ.get("COSEMBED_TEST_CHROMIUM")
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"there is no Chromium: {error}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two cells in a grid, of which 1 divides into 3 and 4, and 500 more tracks."""
    folder = tmp_path_factory.mktemp("report")
    labels = np.zeros((2, 100, 100), np.uint16)
    labels[0, 10:50, 10:50], labels[:, 60:90, 60:90] = 1, 2
    labels[1, 10:50, 10:30], labels[1, 10:50, 31:50] = 3, 4
    tracks = [Track(1, 0, 0, 0), Track(2, 0, 1, 0), Track(3, 1, 1, 1), Track(4, 1, 1, 1)]
    tracks += [Track(label, 0, 1, 0) for label in range(5, 505)]
    colours = label_colours(labels)
    packed = [pack_frame(number, np.eye(100), cells) for number, cells in enumerate(labels)]
    viewers = [
        movie_viewer(packed, (100, 100), colours, "cells", "The movie."),
        lineage_viewer(tracks, range(2), "cells", "504 tracks.", {1: 1600.0}),
    ]
    (folder / "tiles").mkdir()
    tiled = TiledFrames(folder / "tiles", colours)
    tiled.add(0, np.eye(2000), np.kron(labels[0], np.ones((20, 20), np.uint16)))
    write_report(
        folder / "tiles.html", Report("tiles", [], [Section("t", pictures=[tiled.viewer("tiles", "t")])])
    )
    write_report(folder / "report.html", Report("title", [], [Section("cells", pictures=viewers)]))
    return folder


@pytest.fixture(params=[1280, 390])
def open_page(browser, request):
    """Opens a file in a window of some width; afterwards no script may have failed, nothing be too wide."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 844}, has_touch=request.param < 500, offline=True
    )
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda failed: errors.append(failed.url))

    def visit(path):
        page.goto(path.as_uri())
        page.wait_for_timeout(500)
        return page

    yield visit
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= request.param
    context.close()


def click(page, canvas: int, across: float, down: float) -> None:
    """Clicks at a place of a viewer's canvas, given as a share of its width and height."""
    element = page.locator(".viewer canvas").nth(canvas)
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    element.click(position={"x": across * box["width"], "y": down * box["height"]})
    page.wait_for_timeout(300)


def rows(page) -> list[str]:
    """What stands below the viewers."""
    return [" ".join(text.split()) for text in page.locator(".note").all_inner_texts()]


def test_a_click_on_a_cell_of_the_movie_gives_its_row(open_page, report):
    page = open_page(report / "report.html")
    movie = page.locator(".viewer canvas").first.bounding_box()
    # The picture is square, in the middle of its canvas.
    side = min(movie["width"], movie["height"])
    across = 0.5 + (0.3 - 0.5) * side / movie["width"]
    click(page, 0, across, 0.5 + (0.3 - 0.5) * side / movie["height"])
    found = rows(page)
    track = "label 1 parent none daughters 3 4 frames 0 to 0 mean area 1600 px"
    assert found == [f"{track} in frame 0 area 1600 px y 29.50 x 29.50", track]
    page.locator(".note").first.get_by_role("button", name="3").click()
    page.wait_for_timeout(500)
    assert rows(page)[0].startswith("label 3 parent 1 daughters none frames 1 to 1 in frame 1 area 800 px")
    assert page.locator("output").inner_text() == "frame 1", "the movie goes where the cell is"


def test_a_label_is_found_in_a_lineage_of_500_tracks_and_a_click_gives_a_row(open_page, report):
    page = open_page(report / "report.html")
    page.get_by_placeholder("label").fill("400")
    page.get_by_role("button", name="Find").click()
    page.wait_for_timeout(300)
    assert rows(page)[1] == "label 400 parent none daughters none frames 0 to 1"
    # Its row is in the middle now; the row below it is that of the next label.
    box = page.locator(".viewer canvas").nth(1).bounding_box()
    click(page, 1, 0.5, ((box["height"] - 26) / 2 + 15) / box["height"])
    assert rows(page)[1].startswith("label 401 ")
    page.get_by_placeholder("label").fill("999")
    page.get_by_role("button", name="Find").click()
    assert rows(page)[1] == "There is no cell 999."


def test_tiles_are_shown_and_a_cell_is_found_in_them(open_page, report):
    page = open_page(report / "tiles.html")
    page.wait_for_timeout(500)
    page.get_by_placeholder("label").fill("2")
    page.get_by_role("button", name="Find").click()
    page.wait_for_timeout(1000)
    assert rows(page) == ["label 2 area 360000 px y 1499.50 x 1499.50"]
    with Image.open(io.BytesIO(page.locator(".viewer canvas").screenshot())) as seen:
        column, row = seen.width // 2 + 20, seen.height // 2 + 5
        assert max(seen.convert("RGB").getpixel((column, row))) > 40, "the cell's colour"
        assert seen.convert("RGB").getpixel((column, row)) != (255, 255, 255)
