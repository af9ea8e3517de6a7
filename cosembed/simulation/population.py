"""Cells that move, deform, touch, divide, enter and leave. Knows geometry and time, not how a camera sees it.

Lengths are pixels, times are frames. Every random number comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MEAN_RADIUS = 15.0
# Within this share of the sum of radii two cells push each other away; beyond it they may touch.
CONTACT = 0.88
DIVISION_FRAMES = 4
GROWTH_FRAMES = 10
LEAVING_SPEED = 1.8
DIMMEST = 0.2
GOLDEN_RATIO = (1 + 5**0.5) / 2
# Standard deviation of the outline's waves of 2, 3, 4 and 5 periods, as a share of the radius.
WAVES = np.array([0.05, 0.04, 0.03, 0.02])
WAVE_MEMORY = 0.93


@dataclass
class Cell:
    """One cell at one time; `identity` becomes its label, `divides_at` the frame its daughters first appear in.

    `form` is the elongation that the cell returns to, `waves` the complex Fourier modes of its outline, from the second on,
    and `exit` the direction of a cell that is on its way out of the field.
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
        """Grows from a daughter's to a full cell's."""
        return self.full_radius * min(1.0, 0.76 + 0.24 * self.age / GROWTH_FRAMES)


class Events(NamedTuple):
    """Frames in which one cell each divides (its daughters' first), sets off out of the field, or appears at its edge."""

    divisions: tuple[int, ...]
    departures: tuple[int, ...]
    arrivals: tuple[int, ...]


@dataclass
class Population:
    """All living cells of a field of `size` x `size` pixels."""

    size: int
    target: int
    generator: np.random.Generator
    cells: list[Cell] = field(default_factory=list)
    frame: int = 0
    _next: int = 1
    _anchors: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def populate(self, events: Events) -> None:
        """Places the first cells in a few groups; `events` say what will happen when."""
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
        """One frame: motion, shapes, divisions, cells that leave and enter."""
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
        draw = self.generator
        self._next += 1
        form = draw.uniform(1.0, 1.5)
        if like is None:
            # Golden-ratio steps: every video gets its share of dim and of bright cells.
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
        """The cell nearest to the field's edge sets off across it."""
        able = [cell for cell in self.cells if cell.exit is None and cell.divides_at < 0]
        if not able:
            return
        cell = min(able, key=lambda each: self._inset(each.position))
        gaps = np.stack([cell.position, self.size - cell.position])
        side, axis = np.unravel_index(np.argmin(gaps), gaps.shape)
        cell.exit = np.eye(2)[axis] * (1.0 if side else -1.0)

    def _enter(self) -> None:
        draw = self.generator
        position = draw.uniform(0.2, 0.8, 2) * self.size
        position[draw.integers(2)] = draw.choice([-MEAN_RADIUS, self.size + MEAN_RADIUS])
        cell = self._new(position, parent=0, age=float(GROWTH_FRAMES))
        cell.velocity = LEAVING_SPEED * (self.size / 2 - position) / np.linalg.norm(self.size / 2 - position)
        self.cells.append(cell)

    def _inset(self, position: NDArray[np.float64]) -> float:
        """Distance to the nearest edge of the field; negative outside."""
        return float(min(position.min(), (self.size - position).min()))


def local_frame(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates [2, ...] along and across the cell, in pixels from its centre, its elongation undone."""
    y, x = rows - cell.position[0], columns - cell.position[1]
    sine, cosine = np.sin(cell.angle), np.cos(cell.angle)
    stretch = np.sqrt(cell.elongation)
    return np.stack([(sine * y + cosine * x) / stretch, (cosine * y - sine * x) * stretch])


def reach(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the cell's centre over its radius in that direction: below 1 inside the cell."""
    along, across = local_frame(cell, rows, columns)
    direction = np.arctan2(across, along)
    outline = np.ones_like(direction)
    for periods, wave in enumerate(cell.waves, start=2):
        outline += wave.real * np.cos(periods * direction) + wave.imag * np.sin(periods * direction)
    return np.hypot(along, across) / (cell.radius * np.maximum(outline, 0.4))


def _scattered(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Points [count, 2] of the unit square; each is the farthest of ten candidates from those before."""
    points = generator.uniform(0, 1, (1, 2))
    while len(points) < count:
        candidates = generator.uniform(0, 1, (10, 2))
        gaps = np.linalg.norm(candidates[:, None] - points[None], axis=-1).min(axis=1)
        points = np.concatenate([points, candidates[[np.argmax(gaps)]]])
    return points


def _complex_normal(generator: np.random.Generator, count: int) -> NDArray[np.complex128]:
    return generator.normal(0, 1, (count, 2)) @ np.array([1, 1j])
