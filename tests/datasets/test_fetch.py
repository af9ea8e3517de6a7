"""Fetching from a server on this machine: what arrives is complete and as before, or nothing is there."""

import gc
import hashlib
import http.server
import io
import json
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosembed.datasets.fetch import BASE_URL_VARIABLE, fetch
from cosembed.errors import DataError
from cosembed.specs import CellsDatasetSpec


def spec(archive: str = "tiny.zip") -> CellsDatasetSpec:
    return CellsDatasetSpec(
        name="tiny", paper_name="tiny", archive=archive, licence="Free for research; cite it.",
        videos=("01", "02"),
        tra_masks="markers", complete_frames={}, loss_border=0, image_shape=(4, 4),
    )  # fmt: skip


def packed(*members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for member in members:
            file.writestr(member, f"content of {member} " * 200)
    return stream.getvalue()


ARCHIVE = packed("tiny/01/t000.tif", "tiny/01_GT/TRA/man_track.txt", "tiny/02/t000.tif", "__MACOSX/tiny")


class Server:
    """Serves `files` (path -> content); a path in `broken` sends half of it and hangs up."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/training-datasets/tiny.zip": ARCHIVE}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if self.path in outer.broken else content)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_address[1]}/training-datasets"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv(BASE_URL_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.close()
    # A connection left open would warn here and not in some later test.
    gc.collect()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_fetches_once_and_records_the_checksum(
    tmp_path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    data = tmp_path / "data"
    assert fetch(spec(), data, server.base + "/") == data / "tiny"
    assert left(data) == ["checksums.json", "tiny", "tiny.zip"]
    assert left(data / "tiny") == ["01", "01_GT", "02"]
    assert (data / "tiny/02/t000.tif").read_text().startswith("content of tiny/02/t000.tif")
    assert json.loads((data / "checksums.json").read_text()) == {
        "tiny.zip": hashlib.sha256(ARCHIVE).hexdigest()
    }
    assert any("Free for research; cite it." in message for message in caplog.messages)
    fetch(spec(), data, server.base)
    assert server.asked == ["/training-datasets/tiny.zip"]


def test_the_environment_gives_the_base_url(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BASE_URL_VARIABLE, server.base)
    assert (fetch(spec(), tmp_path) / "01").is_dir()


def test_test_videos_come_from_beside_the_training_archives(tmp_path: Path, server: Server) -> None:
    server.files["/test-datasets/tiny.zip"] = packed("tiny/01/t000.tif")
    fetch(spec(), tmp_path, server.base)
    assert fetch(spec(), tmp_path, server.base, kind="test") == tmp_path / "test/tiny"
    assert left(tmp_path / "test/tiny") == ["01"]
    assert set(json.loads((tmp_path / "checksums.json").read_text())) == {"tiny.zip", "test/tiny.zip"}


def test_videos_on_disk_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny/02").mkdir(parents=True)
    assert fetch(spec(), tmp_path, "http://127.0.0.1:9") == tmp_path / "tiny"
    assert left(tmp_path) == ["tiny"]


def test_an_archive_put_there_by_hand_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "tiny.zip").write_bytes(ARCHIVE)
    assert left(fetch(spec(), tmp_path, "http://127.0.0.1:9")) == ["01", "01_GT", "02"]


def test_a_terminal_sees_progress(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(spec(), tmp_path / "quiet", server.base)
    assert "%" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch(spec(), tmp_path / "loud", server.base)
    assert "100%" in capsys.readouterr().err


def test_a_broken_connection_leaves_nothing(tmp_path: Path, server: Server) -> None:
    server.broken.add("/training-datasets/tiny.zip")
    with pytest.raises(DataError, match=r"tiny\.zip: cannot be fetched \(the connection broke\)"):
        fetch(spec(), tmp_path, server.base)
    assert left(tmp_path) == []
    server.broken.clear()
    assert (fetch(spec(), tmp_path, server.base) / "01").is_dir(), "the next try succeeds"


@pytest.mark.parametrize("content", [ARCHIVE[:-40], b"<html>moved</html>", b""])
def test_what_is_no_zip_leaves_nothing(tmp_path: Path, server: Server, content: bytes) -> None:
    server.files["/training-datasets/tiny.zip"] = content
    with pytest.raises(DataError, match=r"tiny\.zip: what came is not a complete zip archive"):
        fetch(spec(), tmp_path, server.base)
    assert left(tmp_path) == []


def test_failures_say_which_url_and_what_to_put_where(tmp_path: Path, server: Server) -> None:
    with pytest.raises(DataError) as caught:
        fetch(spec("other.zip"), tmp_path, server.base)
    assert str(caught.value) == (
        f"{server.base}/other.zip: cannot be fetched (the server answered 404); "
        f"put the archive at {tmp_path}/other.zip, "
        f"or its content at {tmp_path}/tiny/01 and 01_GT"
    )
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(
            DataError, match=r"tiny\.zip: cannot be fetched \(no connection\); put the archive at"
        ):
            fetch(spec(), tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(DataError, match=r"^nonsense/tiny\.zip: cannot be fetched"):
        fetch(spec(), tmp_path, "nonsense")
    with pytest.raises(DataError, match="this data set has no archive to fetch"):
        fetch(spec(""), tmp_path, server.base)
    assert left(tmp_path) == []


def test_another_archive_than_before_is_refused(tmp_path: Path, server: Server) -> None:
    fetch(spec(), tmp_path, server.base)
    (tmp_path / "tiny").rename(tmp_path / "moved")
    changed = packed("tiny/01/t000.tif", "tiny/01/t001.tif")
    (tmp_path / "tiny.zip").write_bytes(changed)
    with pytest.raises(
        DataError, match=r"tiny\.zip: its sha256 is not the one in .*checksums\.json; remove the archive"
    ):
        fetch(spec(), tmp_path, server.base)
    assert not (tmp_path / "tiny").exists()
    (tmp_path / "tiny.zip").unlink()
    assert (fetch(spec(), tmp_path, server.base) / "02").is_dir()


def test_a_damaged_archive_is_not_recorded(tmp_path: Path, server: Server) -> None:
    damaged = bytearray(ARCHIVE)
    start = ARCHIVE.index(b"tiny/01/t000.tif") + len("tiny/01/t000.tif")
    damaged[start + 4 : start + 12] = b"\xff" * 8
    server.files["/training-datasets/tiny.zip"] = bytes(damaged)
    with pytest.raises(DataError, match=r"tiny\.zip: is damaged \(.+\); remove it to fetch it again"):
        fetch(spec(), tmp_path, server.base)
    assert left(tmp_path) == ["tiny.zip"]
    (tmp_path / "tiny.zip").unlink()
    server.files["/training-datasets/tiny.zip"] = ARCHIVE
    assert (fetch(spec(), tmp_path, server.base) / "01").is_dir()


@pytest.mark.parametrize(
    "member", ["../escaped.txt", "tiny/../../escaped.txt", "/escaped.txt", "tiny\\..\\escaped.txt"]
)
def test_members_that_point_outside_are_refused(tmp_path: Path, member: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "tiny.zip").write_bytes(packed("tiny/01/t000.tif", member))
    with pytest.raises(DataError, match="points outside the archive"):
        fetch(spec(), data)
    assert left(data) == ["tiny.zip"]
    assert left(tmp_path) == ["data"]


def test_other_archives_and_foreign_folders(tmp_path: Path) -> None:
    (tmp_path / "tiny.zip").write_bytes(packed("large/01/t000.tif"))
    with pytest.raises(DataError, match=r"tiny\.zip: does not hold the folder tiny"):
        fetch(spec(), tmp_path)
    (tmp_path / "tiny/notes").mkdir(parents=True)
    with pytest.raises(DataError, match=r"tiny: is there but holds no video; put .*tiny/01 and 01_GT there"):
        fetch(spec(), tmp_path)
    assert left(tmp_path / "tiny") == ["notes"]


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_an_unreadable_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "tiny.zip").write_bytes(ARCHIVE)
    (tmp_path / "checksums.json").write_text(content)
    with pytest.raises(DataError, match=r"checksums\.json: is not a JSON object"):
        fetch(spec(), tmp_path)
    assert not (tmp_path / "tiny").exists()
