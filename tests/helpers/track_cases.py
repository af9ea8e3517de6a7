"""Small videos with truth and a result that has the errors of real ones, drawn from a seed.

Cells live in slots of a row, a block of pixels each, so that a test sees which is which without any matching.
"""

from typing import NamedTuple

import numpy as np

from cosembed.datasets.ctc.track_table import Track

SLOTS, FRAMES = 8, 10


class Tracked(NamedTuple):
    """The label of every slot, int [T, S] (0: empty), and the tracks."""

    slots: np.ndarray
    tracks: list[Track]

    def images(self) -> np.ndarray:
        """Blocks of 2 x 2 pixels with a column of background between them, uint16 [T, 4, 3 S]."""
        images = np.zeros((len(self.slots), 4, 3 * SLOTS), np.uint16)
        for slot in range(SLOTS):
            images[:, 1:3, 3 * slot : 3 * slot + 2] = self.slots[:, slot, None, None]
        return images


def drawn_truth(seed: int) -> Tracked:
    """Cells that divide into a free slot beside them, leave, and are lost for a frame."""
    generator = np.random.default_rng(seed)
    slots = np.zeros((FRAMES, SLOTS), int)
    parents: dict[int, int] = {}
    slots[0, [0, 3, 6]] = label = 3
    slots[0, [0, 3]] = 1, 2
    for frame in range(1, FRAMES):
        slots[frame] = slots[frame - 1]
        for slot in np.flatnonzero(slots[frame]).tolist():
            mother, free = slots[frame, slot], slot + 1 < SLOTS and not slots[frame, slot + 1]
            event = generator.random()
            if event < 0.2 and free:
                slots[frame, [slot, slot + 1]] = label + 1, label + 2
                parents |= {label + 1: mother, label + 2: mother}
                label += 2
            elif event > 0.95:
                slots[frame, slot] = 0
            elif event > 0.9 and frame + 1 < FRAMES:
                slots[frame, slot] = label + 1
                slots[frame - 1, slot] = 0 if (slots[: frame - 1, slot] == mother).any() else mother
                parents[label + 1] = mother
                label += 1
    return as_tracked(slots, parents)


def drawn_result(truth: Tracked, seed: int, errors: int, shared: bool = True) -> Tracked:
    """A result with errors of all kinds; with `shared`, masks that cover two cells are among them."""
    generator = np.random.default_rng(seed)
    slots = truth.slots.copy()
    parents = {track.label: track.parent for track in truth.tracks if track.parent}
    for _ in range(errors):
        frame, slot = int(generator.integers(1, FRAMES)), int(generator.integers(SLOTS - 1))
        label, new = slots[frame, slot], int(slots.max()) + 1
        kind = generator.integers(6 if shared else 5)
        later = slots[frame:, slot]
        if kind == 0:
            slots[frame, slot] = 0
        elif kind == 1 and label:
            later[later == label] = new
            parents[new] = int(generator.choice([0, label]))
        elif kind == 2 and parents.get(label) and not (slots[:frame] == label).any():
            # Late, by two frames at most.
            slots[frame : frame + int(generator.integers(1, 3)), slot] = parents[label]
        elif kind == 3 and label and parents.get(label) and (slots[frame - 1] == parents[label]).any():
            # Early.
            slots[frame - 1, slots[frame - 1] == parents[label]] = label
        elif kind == 4 and not slots[frame, slot + 1]:
            slots[frame, slot + 1] = new
            parents[new] = int(generator.choice([0, label]))
        elif kind == 5 and label and slots[frame, slot + 1]:
            slots[frame, slot + 1] = label
    return as_tracked(slots, parents)


def as_tracked(slots: np.ndarray, parents: dict[int, int]) -> Tracked:
    """Gives every run of a label in consecutive frames its own label, and drops parents that still live."""
    new, spans, first = np.zeros_like(slots), [], {}
    for label in np.unique(slots[slots > 0]).tolist():
        present = (slots == label).any(1)
        for frame in np.flatnonzero(present).tolist():
            if not present[frame - 1] or frame == 0:
                spans.append([label, frame, frame])
                first.setdefault(label, len(spans))
            spans[-1][2] = frame
            new[frame][slots[frame] == label] = len(spans)
    tracks = []
    for number, (label, begin, end) in enumerate(spans, start=1):
        parent = first.get(parents.get(label, 0), 0) if first[label] == number else 0
        alive = parent and spans[parent - 1][2] >= begin
        tracks.append(Track(number, begin, end, 0 if alive else parent))
    return Tracked(new, tracks)


def renumbered(tracked: Tracked, numbers: np.ndarray) -> Tracked:
    """The same tracks with other labels: `numbers[label]` takes the place of each."""
    tracks = [
        Track(int(numbers[track.label]), track.begin, track.end, int(numbers[track.parent]))
        for track in tracked.tracks
    ]
    return Tracked(numbers[tracked.slots], tracks)
