"""What is written is complete or absent; links stay, pipes and devices are never replaced."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cosembed.errors import OutputError
from cosembed.files.writing import (
    atomic_file,
    atomic_folder,
    atomic_write_bytes,
    atomic_write_lines,
    atomic_write_text,
    refuse_existing,
    remove_folder,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fail_halfway(path: Path) -> None:
    def write() -> None:
        with atomic_file(path) as partial:
            partial.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    atomic_write_text(path, "first")
    atomic_write_text(path, "sécond")
    assert path.read_bytes() == "sécond".encode()
    assert names(path.parent) == {"a.txt"}


def test_lines_that_cannot_all_be_made_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    atomic_write_lines(path, (f"{number},é" for number in range(2)))
    assert path.read_bytes() == "0,é\n1,é\n".encode()
    with pytest.raises(ZeroDivisionError):
        atomic_write_lines(path, (str(1 // number) for number in (1, 0)))
    assert path.read_bytes() == "0,é\n1,é\n".encode() and names(tmp_path) == {"a.csv"}


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    fail_halfway(path)
    assert path.read_text() == "old" and names(tmp_path) == {"a.txt"}


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "result") as partial:
        (partial / "mask000.tif").touch()
        assert not (tmp_path / "result").exists()
    assert names(tmp_path / "result") == {"mask000.tif"} and names(tmp_path) == {"result"}
    with pytest.raises(OutputError, match="exists already"), atomic_folder(tmp_path / "result"):
        pass


def test_errors_name_the_path_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory") as error:
        atomic_write_text(tmp_path / "file" / "below", "x")
    assert str(tmp_path / "file") in str(error.value.filename)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_the_target_of_a_link_gets_the_content_and_the_link_stays(
    tmp_path: Path, relative: bool, there: bool
) -> None:
    target, link = tmp_path / "disk" / "metrics.json", tmp_path / "metrics.json"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(Path("disk", "metrics.json") if relative else target)
    atomic_write_text(link, "new")
    assert link.is_symlink() and not target.is_symlink()
    assert target.read_text() == link.read_text() == "new"
    assert names(tmp_path) == {"disk", "metrics.json"} and names(target.parent) == {"metrics.json"}


def test_links_to_links_are_followed_from_the_folder_each_lies_in(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "file").symlink_to("../b/file")
    (tmp_path / "b" / "file").symlink_to("../c/file")
    atomic_write_bytes(tmp_path / "a" / "file", b"new")
    assert (tmp_path / "c" / "file").read_bytes() == b"new"
    assert (tmp_path / "a" / "file").is_symlink() and (tmp_path / "b" / "file").is_symlink()


def test_links_in_a_circle_are_an_error_and_stay(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)) as error:
        atomic_write_text(tmp_path / "a", "x")
    assert error.value.filename == str(tmp_path / "a")
    assert names(tmp_path) == {"a", "b"} and (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_behind_a_link(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "disk" / "run", tmp_path / "run"
    target.parent.mkdir()
    if there:
        target.mkdir()
    link.symlink_to(target)
    with atomic_folder(link) as partial:
        (partial / "content").touch()
        assert partial.parent == target.parent, "on the disk of the target, where it can be renamed"
    assert link.is_symlink() and names(target) == {"content"}
    with pytest.raises(OutputError, match="exists already"):
        refuse_existing(link)
    remove_folder(link)
    assert link.is_symlink() and not target.exists() and names(target.parent) == set()


def test_a_pipe_gets_the_bytes_once_they_are_complete_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    with atomic_file(pipe) as partial:
        partial.write_bytes(b"x" * 200_000)
        assert received == []
    reader.join(timeout=30)
    assert received == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode) and names(tmp_path) == {"pipe"}


def test_an_error_passes_nothing_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    # Would wait for a reader for ever if it opened the pipe.
    fail_halfway(tmp_path / "pipe")


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "link"):
        atomic_write_text(path, "x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode) and (tmp_path / "link").is_symlink()


def test_a_full_device_is_an_error_that_names_it() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as error:
        atomic_write_text(Path("/dev/full"), "x")
    assert error.value.filename == "/dev/full"


PRINTING = """
from pathlib import Path
from cosembed.files.writing import atomic_write_text
print("before")
atomic_write_text(Path({path!r}), "content\\n")
print("after")
"""


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("to_file", [True, False])
def test_standard_output_keeps_its_order_as_pipe_and_as_file(
    tmp_path: Path, path: str, to_file: bool
) -> None:
    command = [sys.executable, "-c", PRINTING.format(path=path)]
    if to_file:
        with (tmp_path / "out").open("wb") as file:
            subprocess.run(command, stdout=file, check=True, timeout=60)
        text = (tmp_path / "out").read_text()
    else:
        text = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout
    assert text == "before\ncontent\nafter\n"
    assert names(tmp_path) == ({"out"} if to_file else set())
