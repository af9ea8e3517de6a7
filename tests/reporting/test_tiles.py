"""The tiles of a frame are its overlay, cut into pieces without seams, down to a single tile."""

import io

import numpy as np
from PIL import Image

from cosembed.reporting import tiles
from cosembed.reporting.overlays import overlay


def test_the_finest_tiles_joined_are_the_overlay_and_the_coarsest_is_one(tmp_path, monkeypatch):
    """With small tiles, as PNG, so that pixels can be compared; a frame's sides are no multiples of one."""
    monkeypatch.setattr(tiles, "TILE", 32)
    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda self, file, kind, **_: save(self, file, "PNG"))
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 999, (75, 130)).astype(np.uint16)
    labels = np.kron(generator.integers(0, 5, (15, 13)), np.ones((5, 10), int)).astype(np.uint16)
    colours = {1: 3, 2: 5, 3: 0, 4: 9}
    tiled = tiles.TiledFrames(tmp_path, colours)
    tiled.add(7, frame, labels)
    data = tiled.viewer("tiles", "A frame.").data
    assert data["sizes"] == [[130, 75], [65, 38], [33, 19], [17, 10]]

    def read(level: int, row: int, column: int) -> np.ndarray:
        content = (tmp_path / "7" / f"{level}" / f"{row}_{column}.jpg").read_bytes()
        return np.asarray(Image.open(io.BytesIO(content)))

    rows = [np.concatenate([read(0, row, column) for column in range(5)], axis=1) for row in range(3)]
    np.testing.assert_array_equal(np.concatenate(rows), overlay(frame, labels, colours))
    assert read(3, 0, 0).shape == (10, 17, 3)
    files = sorted(path.name for path in (tmp_path / "7" / "3").iterdir())
    assert files == ["0_0.jpg"]
    assert [frame["number"] for frame in data["frames"]] == [7]
