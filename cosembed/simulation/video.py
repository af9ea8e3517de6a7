"""Simulates labelled videos of cells, and writes them in the Cell Tracking Challenge's layout.

This module decides what happens when, and whether a video is varied enough; `population` moves the cells and
`rendering` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.errors import InputError
from cosembed.files.writing import atomic_folder, refuse_existing
from cosembed.images.reading import read_image
from cosembed.images.tiff import write_mask
from cosembed.simulation.drawing import check_ranges
from cosembed.simulation.looks import LOOKS
from cosembed.simulation.population import DIVISION_FRAMES, Events, Population
from cosembed.simulation.rendering import Camera, render_labels

# So many draws are made before a video is given up that does not become varied enough.
ATTEMPTS = 50
# A varied video has at least these.
FEWEST_CELLS = 15
FEWEST_DIVISIONS = 3
TOUCHING_SHARE = 0.3


class SimulatedVideo(NamedTuple):
    """Holds a video and its complete truth.

    Attributes:
        images: uint16 [T, H, W].
        labels: uint16 [T, H, W]; 0 is background.
        tracks: The track table.
    """

    images: NDArray[np.uint16]
    labels: NDArray[np.uint16]
    tracks: list[Track]


def simulate_video(
    frames: int, size: int, cells: int, difficulty: float, seed: int, look: str = "standard"
) -> SimulatedVideo:
    """Simulates a video of cells that move, deform, touch, divide, enter and leave.

    From 24 frames and 18 cells on, whatever the seed, a video has at least 15 cells in every frame, at least
    3 divisions, a cell that enters and one that leaves, and 30 % of all cells of all frames touch another
    one. A draw that falls short is made again.

    Args:
        frames: Number of frames.
        size: Side of the square image, in pixels; cells are about 20 to 34 pixels wide.
        cells: How many cells live at a time.
        difficulty: How much noise, loss of contrast, uneven and stray light there is: 0 easy, 1 default, 2
            hard.
        seed: The number that decides every pixel.
        look: What kind of microscope shows the cells: `standard` (bright cells under uneven light), `nuclei`
            (fluorescence), `phase` (phase contrast) or `dic` (differential interference contrast). Cells and
            truth are the same in all of them.

    Raises:
        InputError: A value is out of range, the look is unknown, or the cells are too few to touch.
    """
    if look not in LOOKS:
        raise InputError(f"--look={look}: is unknown; choose one of {', '.join(LOOKS)}")
    check_ranges(
        ("frames", frames, 1, 10_000),
        ("size", size, 48, 8192),
        ("cells", cells, 1, size * size // 900),
        ("difficulty", difficulty, 0, 3),
        ("seed", seed, 0, 2**31),
    )
    demanding = frames >= 24 and cells >= 18
    for attempt in range(ATTEMPTS):
        streams = np.random.SeedSequence((seed, attempt)).spawn(2)
        motion, light = (np.random.default_rng(stream) for stream in streams)
        video = _simulate(frames, size, cells, motion, Camera(size, difficulty, light, look))
        if not demanding or _is_varied(video):
            return video
    raise InputError(
        f"--cells={cells}: {size} x {size} pixels are too wide for them to touch; give more cells or a "
        "smaller --size"
    )


def write_video(root: Path, name: str, video: SimulatedVideo) -> None:
    """Writes `root/01` (frames) and `root/01_GT` (complete truth: TRA and SEG); the truth last.

    Frames without a truth, as an earlier start left them that was killed, are kept if they are these very
    ones.

    Args:
        root: The folder of the data set.
        name: The video's name, for example `01`.
        video: What to write.

    Raises:
        InputError: `name` is not the name of a folder.
        OutputError: One of the folders exists.
    """
    if name in ("", "..") or Path(name).name != name:
        raise InputError(f"--video={name}: is not a plain name; choose one such as 01")
    frames_folder, truth_folder = root / name, root / f"{name}_GT"
    refuse_existing(truth_folder)
    files = {f"t{index:03d}.tif": image for index, image in enumerate(video.images)}
    if not _holds(frames_folder, files):
        with atomic_folder(frames_folder) as folder:
            for file, image in files.items():
                write_mask(folder / file, image)
    with atomic_folder(truth_folder) as folder:
        for index, labels in enumerate(video.labels):
            write_mask(folder / "TRA" / f"man_track{index:03d}.tif", labels)
            write_mask(folder / "SEG" / f"man_seg{index:03d}.tif", labels)
        write_tracks(folder / "TRA" / "man_track.txt", video.tracks)


def _holds(folder: Path, files: Mapping[str, NDArray[np.uint16]]) -> bool:
    """Tells whether a folder holds exactly these images: file name -> pixels."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(files):
        return False
    return all(np.array_equal(read_image(folder / name), image) for name, image in files.items())


def touching_share(labels: NDArray[np.uint16]) -> float:
    """Computes the share of instances with a pixel next to another instance (8-neighbourhood).

    Args:
        labels: [T, H, W]; an instance counts once in every frame.
    """
    touching = total = 0
    for frame in labels:
        above = ndimage.maximum_filter(frame, 3)
        below = ndimage.minimum_filter(np.where(frame == 0, np.iinfo(np.uint16).max, frame), 3)
        contact = (frame > 0) & ((above != frame) | (below != frame))
        touching += len(np.unique(frame[contact]))
        total += len(np.unique(frame[frame > 0]))
    return touching / max(total, 1)


def _is_varied(video: SimulatedVideo) -> bool:
    """Tells whether enough happens in a video, as `simulate_video` promises."""
    last = len(video.labels) - 1
    mothers = {track.parent for track in video.tracks} - {0}
    enters = any(track.begin > 0 and not track.parent for track in video.tracks)
    leaves = any(track.end < last and track.label not in mothers for track in video.tracks)
    fewest = min(len(np.unique(labels[labels > 0])) for labels in video.labels)
    enough = fewest >= FEWEST_CELLS and len(mothers) >= FEWEST_DIVISIONS
    return enters and leaves and enough and touching_share(video.labels) >= TOUCHING_SHARE


def _simulate(
    frames: int,
    size: int,
    cells: int,
    motion: np.random.Generator,
    camera: Camera,
) -> SimulatedVideo:
    """Draws one video; `motion` decides what cells do."""
    population = Population(size, cells, motion)
    population.populate(_events(frames, cells, motion))
    images, owners = [], []
    parents: dict[int, int] = {}
    seen: set[int] = set()
    for frame in range(frames):
        if frame:
            population.advance()
        owner = render_labels(population.cells, size)
        present = set(np.unique(owner).tolist())
        # A cell that was seen and is hidden now is gone: tracks have no gaps.
        population.cells = [c for c in population.cells if c.identity in present or c.identity not in seen]
        seen |= present
        parents |= {cell.identity: cell.parent for cell in population.cells}
        images.append(camera.picture(population.cells, owner))
        owners.append(owner)
    return SimulatedVideo(np.stack(images), *_number_tracks(np.stack(owners), parents))


def _events(frames: int, cells: int, generator: np.random.Generator) -> Events:
    """Spreads events over the video.

    For every 120 frames in the life of a cell there is a division, for every 240 a departure and an arrival.
    """

    def spread(period: int, begin: float, end: float) -> tuple[int, ...]:
        # `begin` and `end` are shares of the video's length.
        count = max(1, round(frames * cells / period))
        when = np.linspace(begin, end, count) * frames + generator.uniform(-1.5, 1.5, count)
        return tuple(int(frame) for frame in when if DIVISION_FRAMES < frame < frames - 2)

    return Events(spread(120, 0.15, 0.85), spread(240, 0.1, 0.7), spread(240, 0.1, 0.7))


def _number_tracks(
    owners: NDArray[np.uint16], parents: dict[int, int]
) -> tuple[NDArray[np.uint16], list[Track]]:
    """Numbers the cells 1..n in order of appearance.

    Args:
        owners: Identities [T, H, W]; 0 is background.
        parents: Identity -> identity of the mother, or 0.

    Returns:
        Labels uint16 [T, H, W] and the track table.
    """
    spans: dict[int, list[int]] = {}
    for frame, owner in enumerate(owners):
        for identity in np.unique(owner[owner > 0]).tolist():
            spans.setdefault(identity, [frame, frame])[1] = frame
    numbers = {identity: number for number, identity in enumerate(spans, start=1)}
    table = np.zeros(int(owners.max()) + 1, np.uint16)
    for identity, number in numbers.items():
        table[identity] = number
    tracks = [
        Track(numbers[identity], begin, end, numbers.get(parents.get(identity, 0), 0))
        for identity, (begin, end) in spans.items()
    ]
    return table[owners], tracks
