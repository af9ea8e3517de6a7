"""The wheel: what it holds, and that its commands work for somebody who has it alone, from another folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest

import cosembed
from cosembed.commands.main import COMMANDS
from cosembed.networks.catalogue import network_names
from tests.helpers.builders import ROOT, small_spec, untrained_run

IN_THE_WHEEL = {
    "cosembed/__init__.py",
    "cosembed/__main__.py",
    "cosembed/py.typed",
    "cosembed/data_specs/_defaults.yaml",
    "cosembed/commands/main.py",
}
WEB = ROOT / "cosembed" / "reporting" / "web"
# What an index and a slow line still take.
MOST_BYTES = 60 * 10**6


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-index", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of the working tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools is older than 77, which builds the wheel: pip install --editable '.[dev]'")
    # A copy is built: nothing is left beside the sources, and nothing old of theirs is taken along.
    source = folder / "source"
    for name in ("cosembed", "data_specs", "experiments", "benchmarks", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", str(source), "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the installed wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", f"--target={folder}", str(wheel))
    return folder


@pytest.fixture
def use(installed, tmp_path, monkeypatch):
    """Runs the console script of the installed wheel in an empty folder; gives its output."""
    monkeypatch.chdir(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}

    def run(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, str(installed / "bin" / "cosembed"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        assert done.returncode == status, (arguments, done.stdout, done.stderr[-2000:])
        return done.stdout

    return run


def test_only_cosembed_lands_on_the_top_level(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"cosembed", f"cosembed-{cosembed.__version__}.dist-info"}


def test_everything_of_the_package_is_in_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cosembed").rglob("*.py")}
    specs = {f"cosembed/data_specs/{path.name}" for path in (ROOT / "data_specs").glob("*.yaml")}
    networks = {
        str(path.relative_to(ROOT))
        for name in network_names()
        for path in (ROOT / "cosembed" / "networks" / name).iterdir()
    }
    assert len(networks) >= 4 and modules | specs | networks | IN_THE_WHEEL <= names
    assert not [name for name in names if "test" in name or name.endswith(".pyc")]


def test_it_is_small_enough(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_its_metadata_name_the_pythons_the_program_and_the_version(wheel):
    archive = zipfile.ZipFile(wheel)
    info = f"cosembed-{cosembed.__version__}.dist-info"
    metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert metadata["Version"] == cosembed.__version__
    # pip refuses any other Python with a sentence of its own.
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    entries = ConfigParser()
    entries.read_string(archive.read(f"{info}/entry_points.txt").decode())
    assert {name: dict(entries[name]) for name in entries.sections()} == {
        "console_scripts": {"cosembed": "cosembed.commands.main:main"},
        "napari.manifest": {"cosembed": "cosembed.napari_plugin:napari.yaml"},
    }
    # What the entry point of napari names, and what the report's pictures need.
    held = set(archive.namelist())
    assert "cosembed/napari_plugin/napari.yaml" in held
    scripts = {path.name for path in WEB.iterdir() if path.suffix in (".js", ".css")}
    assert scripts and {f"cosembed/reporting/web/{name}" for name in scripts} <= held


def test_another_python_is_refused_by_the_package_itself():
    """For a checkout, and for those who silence pip; every Python 3 has to be able to read the sentence."""
    code = (
        "import sys, runpy; sys.version_info = (3, 10, 4, 'final', 0); "
        f"runpy.run_path({str(ROOT / 'cosembed' / '__init__.py')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cosembed needs Python 3.11, 3.12 or 3.13, this is Python 3.10")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_its_commands_work_from_another_folder(use, installed, tmp_path):
    listed = use()
    assert all(f"  {command} " in listed for command in COMMANDS)
    use("simulate", "--output=data/mydata", "--frames=6", "--size=64", "--cells=3", "--seed=3")
    use("validate", "--ground_truth_dir=data/mydata/01_GT", "--frames_dir=data/mydata/01")
    advice = use("suggest-spec", "--data=data/mydata", "--output=mydata.yaml").splitlines()[-1]
    words = advice.partition("next: ")[2].split()
    assert words[:2] == ["cosembed", "train"]
    use(*words[1:-1], "--profile=smoke", "--set=training.iterations=2")
    assert (tmp_path / "runs" / "mydata" / "report.html").exists()
    (trained,) = (tmp_path / "runs" / "mydata").glob("test_01*")
    use(
        "track",
        f"--network={trained}",
        "--input=data/mydata/01",
        "--output=RES",
        "--set=tracking.min_points=4",
    )
    use("validate", "--result_dir=RES", "--overlays=pictures")
    assert "SEG " in use("evaluate", "--result_dir=RES", "--ground_truth_dir=data/mydata/01_GT")
    assert len(list((tmp_path / "pictures").iterdir())) == 6
    assert use("networks").startswith("DIC-C2DH-HeLa ")
    use("track", "--network=simulated", "--input=data/mydata/01", "--output=RES2")
    use("trakc", status=2)


def test_its_interface_works_from_another_folder(installed, tmp_path):
    untrained_run(tmp_path / "run", small_spec())
    code = (
        "import cosembed, sys; assert cosembed.__file__.startswith(sys.argv[1]); from cosembed import specs; "
        "frames = cosembed.simulate_video(3, 64, 3, 0, 1).images; network = cosembed.load_network('run'); "
        "print(cosembed.track(frames, network, progress=False).labels.shape, len(specs.dataset_names()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(installed)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    known = [path for path in (ROOT / "data_specs").glob("*.yaml") if path.name[0] != "_"]
    assert done.stdout == f"(3, 64, 64) {len(known)}\n", done.stderr
