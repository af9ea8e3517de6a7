"""Cells that move, deform, touch, divide, enter and leave. Knows geometry and time, not how a camera sees it.

Lengths are pixels, times are frames. Every random number comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MODES = 4
MEAN_RADIUS = 13.0
# Within this share of the sum of radii two cells push each other away; beyond it they may touch.
CONTACT = 0.86
DIVISION_FRAMES = 4
GROWTH_FRAMES = 10


@dataclass
class Cell:
    """One cell at one time; `identity` becomes its label, `divides_at` the frame its daughters first appear in."""

    identity: int
    parent: int
    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    full_radius: float
    age: float
    angle: float
    elongation: float
    modes: NDArray[np.complex128]
    brightness: float
    texture_seed: int
    divides_at: int = -1

    @property
    def radius(self) -> float:
        """Grows from a daughter's to a full cell's."""
        return self.full_radius * min(1.0, 0.74 + 0.26 * self.age / GROWTH_FRAMES)


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

    def populate(self, divisions: list[int]) -> None:
        """Places the first cells in a few groups; `divisions` are the frames at which one cell each will divide."""
        draw = self.generator
        self._divisions = sorted(divisions)
        self._anchors = draw.uniform(0.2, 0.8, (max(2, self.target // 7), 2)) * self.size
        for _ in range(self.target):
            anchor = self._anchors[draw.integers(len(self._anchors))]
            position = np.clip(anchor + draw.normal(0, 0.18 * self.size, 2), 0, self.size)
            self.cells.append(self._new(position, parent=0, age=float(GROWTH_FRAMES)))
        for _ in range(40):
            self._push_apart()

    def advance(self) -> None:
        """One frame: motion, shapes, divisions, cells that leave and enter."""
        self.frame += 1
        draw = self.generator
        for cell in self.cells:
            cell.age += 1
            nearest = self._anchors[np.argmin(np.linalg.norm(self._anchors - cell.position, axis=1))]
            pull = 0.012 * (nearest - cell.position) / max(1.0, np.linalg.norm(nearest - cell.position) / 10)
            cell.velocity = 0.8 * cell.velocity + draw.normal(0, 0.45, 2) + pull
            cell.position = cell.position + cell.velocity
            cell.angle += draw.normal(0, 0.06)
            cell.elongation += 0.1 * (1.15 - cell.elongation) + draw.normal(0, 0.02)
            noise = draw.normal(0, 1, (MODES, 2)) @ [1, 1j]
            cell.modes = 0.93 * cell.modes + 0.012 * noise
            left = cell.divides_at - self.frame
            if 0 <= left < DIVISION_FRAMES:
                cell.elongation += 0.14
        self._schedule()
        self._divide()
        for _ in range(6):
            self._push_apart()
        margin = 0.6 * MEAN_RADIUS
        self.cells = [c for c in self.cells if (c.position > -margin).all() and (c.position < self.size + margin).all()]
        if len(self.cells) < self.target and draw.random() < 0.5:
            self._enter()

    def _new(self, position: NDArray[np.float64], parent: int, age: float, like: Cell | None = None) -> Cell:
        draw = self.generator
        self._next += 1
        return Cell(
            identity=self._next - 1,
            parent=parent,
            position=np.array(position, np.float64),
            velocity=draw.normal(0, 0.6, 2),
            full_radius=MEAN_RADIUS * draw.uniform(0.82, 1.22) if like is None else like.full_radius * draw.uniform(0.9, 1.02),
            age=age,
            angle=draw.uniform(0, np.pi),
            elongation=draw.uniform(1.0, 1.35),
            modes=0.04 * (draw.normal(0, 1, (MODES, 2)) @ [1, 1j]),
            brightness=draw.uniform(0.35, 1.0) if like is None else like.brightness * draw.uniform(0.8, 1.2),
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

    def _schedule(self) -> None:
        """Chooses the cell of the next division, well inside the field, some frames ahead."""
        if not self._divisions or self._divisions[0] - self.frame > DIVISION_FRAMES:
            return
        when = self._divisions.pop(0)
        inside = 1.5 * MEAN_RADIUS
        able = [
            cell
            for cell in self.cells
            if cell.divides_at < 0
            and cell.age >= GROWTH_FRAMES
            and (cell.position > inside).all()
            and (cell.position < self.size - inside).all()
        ]
        if able:
            able[self.generator.integers(len(able))].divides_at = when

    def _divide(self) -> None:
        for mother in [cell for cell in self.cells if cell.divides_at == self.frame]:
            self.cells.remove(mother)
            axis = np.array([np.sin(mother.angle), np.cos(mother.angle)])
            for side in (-1, 1):
                daughter = self._new(mother.position + side * 0.62 * mother.radius * axis, mother.identity, 0.0, mother)
                daughter.angle = mother.angle + np.pi / 2
                self.cells.append(daughter)

    def _enter(self) -> None:
        draw = self.generator
        position = draw.uniform(0, self.size, 2)
        side = draw.integers(2)
        position[side] = draw.choice([-0.4 * MEAN_RADIUS, self.size + 0.4 * MEAN_RADIUS])
        cell = self._new(position, parent=0, age=float(GROWTH_FRAMES))
        cell.velocity = 1.5 * (self.size / 2 - position) / np.linalg.norm(self.size / 2 - position)
        self.cells.append(cell)


def reach(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the cell's centre over its radius in that direction: below 1 inside the cell."""
    y, x = rows - cell.position[0], columns - cell.position[1]
    sine, cosine = np.sin(cell.angle), np.cos(cell.angle)
    along, across = (sine * y + cosine * x) / np.sqrt(cell.elongation), (cosine * y - sine * x) * np.sqrt(cell.elongation)
    direction = np.arctan2(across, along)
    outline = np.ones_like(direction)
    for order, mode in enumerate(cell.modes, start=2):
        outline += mode.real * np.cos(order * direction) + mode.imag * np.sin(order * direction)
    return np.hypot(along, across) / (cell.radius * np.maximum(outline, 0.4))
