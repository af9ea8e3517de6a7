"""Moves simulated cells: they deform, touch, divide, enter and leave.

This module knows geometry and time, not how a camera sees the cells. Lengths are in pixels, times in frames,
points are (y, x). Every random number comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MEAN_RADIUS = 15.0
# Two cells nearer to each other than this share of the sum of their radii push each other away.
CONTACT = 0.88
# A mother stretches for so many frames before she divides; a daughter grows for so many until she may divide.
DIVISION_FRAMES = 4
GROWTH_FRAMES = 10
# Cells leave and enter the field at this speed, in pixels a frame.
LEAVING_SPEED = 1.8
# The brightness of the dimmest cell; that of the brightest is 1.
DIMMEST = 0.2
GOLDEN_RATIO = (1 + 5**0.5) / 2
# An outline has waves of 2, 3, 4 and 5 periods with these standard deviations, as shares of the radius; from
# frame to frame a wave keeps the share WAVE_MEMORY of itself.
WAVES = np.array([0.05, 0.04, 0.03, 0.02])
WAVE_MEMORY = 0.93


@dataclass
class Cell:
    """Holds one cell at one time.

    Attributes:
        identity: The number that becomes its label.
        parent: Identity of its mother, or 0.
        position: Its centre.
        velocity: Pixels a frame.
        full_radius: Its radius once it is grown.
        age: Frames since it appeared; `GROWTH_FRAMES` or more if it is grown.
        angle: Direction of its long axis, in radians from the horizontal.
        form: The elongation that it returns to.
        elongation: Length over width, now.
        waves: Complex Fourier modes of its outline, from the second on.
        brightness: From `DIMMEST` to 1.
        texture_seed: Seed of its grain.
        divides_at: The frame in which its daughters first appear, or -1.
        exit: Direction of a cell that is on its way out of the field.
    """

    identity: int
    parent: int
    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    full_radius: float
    age: float
    angle: float
    form: float
    elongation: float
    waves: NDArray[np.complex128]
    brightness: float
    texture_seed: int
    divides_at: int = -1
    exit: NDArray[np.float64] | None = None

    @property
    def radius(self) -> float:
        """The radius now: it grows from a daughter's to that of a grown cell."""
        return self.full_radius * min(1.0, 0.76 + 0.24 * self.age / GROWTH_FRAMES)


class Events(NamedTuple):
    """Says in which frames something happens to one cell each; a frame may occur more than once.

    Attributes:
        divisions: Frames in which two daughters first appear.
        departures: Frames in which a cell sets off out of the field.
        arrivals: Frames in which a cell appears at the field's edge.
    """

    divisions: tuple[int, ...]
    departures: tuple[int, ...]
    arrivals: tuple[int, ...]


@dataclass
class Population:
    """Holds all living cells of a square field, and moves them from frame to frame.

    Attributes:
        size: Side of the field.
        target: Number of cells to begin with.
        generator: Source of every random number.
        cells: The living cells.
        frame: Number of the current frame.
    """

    size: int
    target: int
    generator: np.random.Generator
    cells: list[Cell] = field(default_factory=list)
    frame: int = 0
    _next: int = 1
    _anchors: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def populate(self, events: Events) -> None:
        """Places the first cells in a few groups.

        Args:
            events: What will happen when.
        """
        draw = self.generator
        self._events = events
        self._first_brightness = draw.uniform()
        self._anchors = self.size * (0.12 + 0.76 * _scattered(max(2, self.target // 4), draw))
        for _ in range(self.target):
            anchor = self._anchors[draw.integers(len(self._anchors))]
            position = np.clip(anchor + draw.normal(0, 0.1 * self.size, 2), 0, self.size)
            self.cells.append(self._new(position, parent=0, age=float(GROWTH_FRAMES)))
        for _ in range(40):
            self._push_apart()

    def advance(self) -> None:
        """Goes one frame on: motion, shapes, divisions, cells that leave and enter."""
        self.frame += 1
        for cell in self.cells:
            self._move(cell)
        for _ in range(self._events.divisions.count(self.frame + DIVISION_FRAMES)):
            self._prepare_division()
        self._divide()
        for _ in range(self._events.departures.count(self.frame)):
            self._send_out()
        for _ in range(self._events.arrivals.count(self.frame)):
            self._enter()
        for _ in range(6):
            self._push_apart()
        margin = 1.5 * MEAN_RADIUS
        self.cells = [
            c for c in self.cells if (c.position > -margin).all() and (c.position < self.size + margin).all()
        ]

    def _move(self, cell: Cell) -> None:
        """Moves, turns and deforms one cell."""
        draw = self.generator
        cell.age += 1
        nearest = self._anchors[np.argmin(np.linalg.norm(self._anchors - cell.position, axis=1))]
        pull = 0.008 * (nearest - cell.position) / max(1.0, np.linalg.norm(nearest - cell.position) / 10)
        cell.velocity = 0.8 * cell.velocity + draw.normal(0, 0.5, 2) + pull
        if cell.exit is not None:
            cell.velocity += 0.2 * LEAVING_SPEED * cell.exit
        cell.position = cell.position + cell.velocity
        cell.angle += draw.normal(0, 0.06)
        cell.elongation += 0.1 * (cell.form - cell.elongation) + draw.normal(0, 0.02)
        kick = WAVES * np.sqrt(1 - WAVE_MEMORY**2)
        cell.waves = WAVE_MEMORY * cell.waves + kick * _complex_normal(draw, len(WAVES))
        if 0 <= cell.divides_at - self.frame < DIVISION_FRAMES:
            cell.elongation += 0.16

    def _new(self, position: NDArray[np.float64], parent: int, age: float, like: Cell | None = None) -> Cell:
        """Makes a cell with the next identity.

        Args:
            position: Its centre.
            parent: Identity of its mother, or 0.
            age: Its age; see `Cell`.
            like: The mother, whose size and brightness it takes over, or None.
        """
        draw = self.generator
        self._next += 1
        form = draw.uniform(1.0, 1.5)
        if like is None:
            # Steps of the golden ratio give every video its share of dim and of bright cells.
            brightness = DIMMEST ** ((self._next * GOLDEN_RATIO + self._first_brightness) % 1)
        else:
            brightness = float(np.clip(like.brightness * draw.uniform(0.8, 1.2), DIMMEST, 1))
        return Cell(
            identity=self._next - 1,
            parent=parent,
            position=np.array(position, np.float64),
            velocity=draw.normal(0, 0.6, 2),
            full_radius=MEAN_RADIUS * draw.uniform(0.82, 1.22)
            if like is None
            else like.full_radius * draw.uniform(0.9, 1.02),
            age=age,
            angle=draw.uniform(0, np.pi),
            form=form,
            elongation=form,
            waves=WAVES * _complex_normal(draw, len(WAVES)),
            brightness=brightness,
            texture_seed=int(draw.integers(2**31)),
        )

    def _push_apart(self) -> None:
        """Moves cells a little away from those they overlap."""
        positions = np.array([cell.position for cell in self.cells])
        radii = np.array([cell.radius for cell in self.cells])
        offset = positions[:, None] - positions[None]
        distance = np.linalg.norm(offset, axis=-1) + np.eye(len(radii)) * 1e9
        overlap = np.maximum(0, CONTACT * (radii[:, None] + radii[None]) - distance)
        push = (0.25 * overlap / np.maximum(distance, 1e-6))[..., None] * offset
        for cell, change in zip(self.cells, push.sum(axis=1), strict=True):
            cell.position = cell.position + change

    def _prepare_division(self) -> None:
        """Chooses a full-grown cell, well inside the field, to divide in `DIVISION_FRAMES` frames."""
        able = [c for c in self.cells if c.divides_at < 0 and c.exit is None and c.age >= GROWTH_FRAMES]
        able = [c for c in able if self._inset(c.position) > 1.5 * MEAN_RADIUS]
        if able:
            able[self.generator.integers(len(able))].divides_at = self.frame + DIVISION_FRAMES

    def _divide(self) -> None:
        """Puts two daughters in the place of every cell whose time has come."""
        for mother in [cell for cell in self.cells if cell.divides_at == self.frame]:
            self.cells.remove(mother)
            axis = np.array([np.sin(mother.angle), np.cos(mother.angle)])
            for side in (-1, 1):
                daughter = self._new(
                    mother.position + side * 0.62 * mother.radius * axis, mother.identity, 0.0, mother
                )
                daughter.angle = mother.angle + np.pi / 2
                self.cells.append(daughter)

    def _send_out(self) -> None:
        """Makes the cell nearest to the field's edge set off across it."""
        able = [cell for cell in self.cells if cell.exit is None and cell.divides_at < 0]
        if not able:
            return
        cell = min(able, key=lambda each: self._inset(each.position))
        gaps = np.stack([cell.position, self.size - cell.position])
        side, axis = np.unravel_index(np.argmin(gaps), gaps.shape)
        cell.exit = np.eye(2)[axis] * (1.0 if side else -1.0)

    def _enter(self) -> None:
        """Adds a grown cell just outside the field, on its way in."""
        draw = self.generator
        position = draw.uniform(0.2, 0.8, 2) * self.size
        position[draw.integers(2)] = draw.choice([-MEAN_RADIUS, self.size + MEAN_RADIUS])
        cell = self._new(position, parent=0, age=float(GROWTH_FRAMES))
        cell.velocity = LEAVING_SPEED * (self.size / 2 - position) / np.linalg.norm(self.size / 2 - position)
        self.cells.append(cell)

    def _inset(self, position: NDArray[np.float64]) -> float:
        """Measures the distance to the nearest edge of the field; it is negative outside."""
        return float(min(position.min(), (self.size - position).min()))


def local_frame(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes coordinates along and across a cell, in pixels from its centre, with its elongation undone.

    Args:
        cell: The cell.
        rows: Rows of the image's pixels, of any shape.
        columns: Columns of the same pixels.

    Returns:
        float64 [2, ...].
    """
    y, x = rows - cell.position[0], columns - cell.position[1]
    sine, cosine = np.sin(cell.angle), np.cos(cell.angle)
    stretch = np.sqrt(cell.elongation)
    return np.stack([(sine * y + cosine * x) / stretch, (cosine * y - sine * x) * stretch])


def relative_distance(
    cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Computes the distance from a cell's centre over its radius in that direction: below 1 inside the cell.

    Args:
        cell: The cell.
        rows: Rows of the image's pixels, of any shape.
        columns: Columns of the same pixels.
    """
    along, across = local_frame(cell, rows, columns)
    direction = np.arctan2(across, along)
    outline = np.ones_like(direction)
    for periods, wave in enumerate(cell.waves, start=2):
        outline += wave.real * np.cos(periods * direction) + wave.imag * np.sin(periods * direction)
    return np.hypot(along, across) / (cell.radius * np.maximum(outline, 0.4))


def _scattered(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Scatters points [count, 2] over the unit square; each is the one of ten farthest from those before."""
    points = generator.uniform(0, 1, (1, 2))
    while len(points) < count:
        candidates = generator.uniform(0, 1, (10, 2))
        gaps = np.linalg.norm(candidates[:, None] - points[None], axis=-1).min(axis=1)
        points = np.concatenate([points, candidates[[np.argmax(gaps)]]])
    return points


def _complex_normal(generator: np.random.Generator, count: int) -> NDArray[np.complex128]:
    """Draws complex numbers whose real and imaginary parts are normal."""
    return generator.normal(0, 1, (count, 2)) @ np.array([1, 1j])
