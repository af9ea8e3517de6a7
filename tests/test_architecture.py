"""The house keeps its plan: rooms import downwards only, and nothing imports the catalogue."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.builders import ROOT

# From the lowest room to the highest; a room imports those before it, never one after it (docs:
# architecture).
ORDER = (
    "errors",
    "requirements",
    "files",
    "processes",
    "specs",
    "images",
    "preprocessing",
    "datasets",
    "augment",
    "batches",
    "layers",
    "models",
    "losses",
    "training",
    "released",
    "networks",
    "clustering",
    "tracking",
    "inference",
    "metrics",
    "baselines",
    "simulation",
    "exchange",
    "reporting",
    "video_job",
    "study",
    "commands",
    "napari_plugin",
)
# The package's face and its program stand above all rooms.
FACE = ("__init__", "__main__")
ABOVE = ("experiments", "benchmarks", "tests")
PRIVATE = ("keras.src", "tensorflow.python", "tensorflow_addons")


def modules() -> list[Path]:
    """Every Python file of the package."""
    return sorted((ROOT / "cosembed").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it, those for type checkers included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    """The room of a file: `specs` for cosembed/specs/sections.py, `errors` for cosembed/errors.py."""
    return path.relative_to(ROOT / "cosembed").parts[0].removesuffix(".py")


def room_imports() -> set[tuple[str, str]]:
    """Pairs of a room and another one that it imports."""
    pairs = set()
    for path in modules():
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "cosembed" and parts[1] in ORDER and parts[1] != room_of(path):
                pairs.add((room_of(path), parts[1]))
    return pairs


def test_every_room_has_its_place_in_the_order():
    assert {room_of(path) for path in modules()} == {*ORDER, *FACE}


def test_rooms_import_downwards_only_so_that_there_is_no_circle():
    place = {room: number for number, room in enumerate(ORDER)}
    upwards = sorted(
        (room, other) for room, other in room_imports() if room not in FACE and place[other] > place[room]
    )
    assert upwards == []


@pytest.mark.parametrize("stranger", [*ABOVE, *PRIVATE])
def test_nothing_in_the_package_imports(stranger):
    guilty = [
        path.relative_to(ROOT)
        for path in modules()
        for name in imported(path)
        if name == stranger or name.startswith(f"{stranger}.")
    ]
    assert guilty == []


def test_modules_of_one_room_do_not_import_each_other_in_a_circle():
    """Depth-first over module imports; a module that is met again on its own path closes a circle."""
    names = {}
    for path in modules():
        relative = path.relative_to(ROOT).with_suffix("")
        names[".".join(relative.parts).removesuffix(".__init__")] = path
    graph = {
        name: {
            found
            for target in imported(path)
            if (found := target if target in names else target.rpartition(".")[0]) in names
            # The package's face imports rooms only when one of its names is used.
            and found not in (name, "cosembed")
        }
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_modules_say_what_they_are_and_stay_short():
    for folder in ("cosembed", "experiments", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert ast.get_docstring(ast.parse(text)), f"{path}: a module begins with what it does"
            assert len(text.splitlines()) <= 400, f"{path}: split it by meaning"
