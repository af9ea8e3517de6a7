"""Measures the memory and the processor time of tracking large label maps, without a network.

    python -m benchmarks.label_maps --frames=300 --size=2048 --cells=500
    python -m benchmarks.label_maps --codecs      # what one label map takes, by several ways to keep it

Discs wander about; every pair of frames is taken as it were clustered, stitched, cleaned up and numbered
(steps 8 to 12), and every label map is read once as it is when masks are written.
"""

from __future__ import annotations

import json
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np
from absl import flags
from numpy.typing import NDArray

from benchmarks.memory import peak_gigabytes
from benchmarks.rows import Row, table
from cosembed import specs
from cosembed.commands import command_line

FLAGS = flags.FLAGS
# The part of the image that is cells, and how far one moves from frame to frame, in pixels.
COVERED, MOVES = 0.4, 3.0

flags.DEFINE_integer("frames", 300, "Number of frames.")
flags.DEFINE_integer("size", 2048, "Side of the label maps.")
flags.DEFINE_integer("cells", 500, "Number of cells.")
flags.DEFINE_bool("codecs", False, "Compare ways to keep a label map instead.")


def pairs(frames: int, size: int, cells: int) -> Iterator[NDArray[np.int32]]:
    """Yields the labels int32 [2, H, W] of all frame pairs; a frame is drawn once."""
    generator = np.random.default_rng(0)
    places = generator.uniform(0, size, (cells, 2))
    radius = int((COVERED * size**2 / cells / np.pi) ** 0.5)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = rows**2 + columns**2 <= radius**2
    before: NDArray[np.int32] | None = None
    for _ in range(frames):
        image = np.zeros((size + 2 * radius,) * 2, np.int32)
        for label, (y, x) in enumerate(places.astype(int), start=1):
            image[y : y + len(disc), x : x + len(disc)][disc] = label
        image = image[radius : size + radius, radius : size + radius]
        if before is not None:
            yield np.stack([before, image])
        before = image
        places = np.clip(places + generator.normal(0, MOVES, places.shape), 0, size - 1)


def compare_codecs(image: NDArray[np.int32], rounds: int = 10) -> list[Row]:
    """Keeps a label map and gets it back in several ways.

    Returns:
        One row for each way, with its `name`, the `kilobytes` that it takes, and the milliseconds of
        processor time to `keep` it and to `get` it.
    """
    ways: dict[str, tuple[Callable[[bytes], Any], Callable[[bytes], Any]]] = {
        "zlib, level 1": (lambda content: zlib.compress(content, 1), zlib.decompress),
        "LZ4": (imagecodecs.lz4_encode, lambda content: imagecodecs.lz4_decode(content, out=image.nbytes)),
        "Zstandard, level 1": (
            lambda content: imagecodecs.zstd_encode(content, 1),
            lambda content: imagecodecs.zstd_decode(content, out=image.nbytes),
        ),
        "Zstandard, level 3": (
            lambda content: imagecodecs.zstd_encode(content, 3),
            lambda content: imagecodecs.zstd_decode(content, out=image.nbytes),
        ),
    }
    rows: list[Row] = []
    with tempfile.TemporaryFile() as file:

        def keep_raw(content: bytes) -> bytes:
            file.seek(0)
            file.write(content)
            return content

        def get_raw(content: bytes) -> bytes:
            file.seek(0)
            return file.read(len(content))

        ways["file, as it is"] = keep_raw, get_raw
        for name, (keep, get) in ways.items():
            content, begin = image.tobytes(), time.process_time()
            for _ in range(rounds):
                kept = keep(content)
            middle = time.process_time()
            for _ in range(rounds):
                back = get(kept)
            end = time.process_time()
            assert back == content
            spent = {"keep": (middle - begin) / rounds * 1000, "get": (end - middle) / rounds * 1000}
            rows.append({"name": name, "kilobytes": len(kept) / 1000, **spent})
    return rows


def main() -> None:
    """Prints a JSON line: peak memory before and after, the processor time a frame, and the tracks."""
    if FLAGS.codecs:
        print(table(compare_codecs(next(pairs(2, FLAGS.size, FLAGS.cells))[0])))
        return
    from cosembed.tracking.tracker import track_pairs

    spec = specs.resolve("DIC-C2DH-HeLa").tracking
    drawing = _spent_on_drawing()
    before, begin = peak_gigabytes(), time.process_time()
    result = track_pairs(pairs(FLAGS.frames, FLAGS.size, FLAGS.cells), spec)
    checksum = sum(int(frame.sum()) for frame in result.maps)
    spent = time.process_time() - begin - drawing * FLAGS.frames
    figures = {
        "gigabytes_before": before,
        "gigabytes": peak_gigabytes(),
        "seconds_per_frame": spent / FLAGS.frames,
        "tracks": len(result.tracks),
        "checksum": checksum,
    }
    print(json.dumps(figures))


def _spent_on_drawing() -> float:
    """Returns the processor time that drawing one frame takes."""
    begin = time.process_time()
    for _ in pairs(2, FLAGS.size, FLAGS.cells):
        pass
    return (time.process_time() - begin) / 2


if __name__ == "__main__":
    command_line.run(main)
