"""Finds a challenge data set on disk or fetches it from the challenge's site. Knows archives, no images.

Archives and folders are complete or absent. An archive's sha256 is recorded in `checksums.json` when it is
first unpacked and checked afterwards.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal

import pooch
import requests
from absl import logging

from cosembed.errors import DataError
from cosembed.files.reading import check_regular, read_json, reason
from cosembed.files.writing import atomic_file, atomic_folder, atomic_write_text
from cosembed.specs import CellsDatasetSpec

BASE_URL = "http://data.celltrackingchallenge.net/training-datasets"
BASE_URL_VARIABLE = "COSEMBED_CTC_URL"
TIMEOUT = 30
# An archive of images unpacks to a few times its size; one that claims more was made to fill the disk.
MOST_UNPACKED, SMALL_ARCHIVE = 100, 2**30


def fetch(
    dataset: CellsDatasetSpec,
    data_dir: Path,
    base_url: str | None = None,
    kind: Literal["training", "test"] = "training",
) -> Path:
    """Makes sure that a data set's videos are on disk.

    Args:
        dataset: The data set.
        data_dir: The folder of all data sets. Videos belong to `data_dir/<name>` (training) or
            `data_dir/test/<name>` (the challenge's videos without truth). An archive that lies in that
            folder's parent already is unpacked instead of downloaded.
        base_url: Where the training archives are; without, the environment variable COSEMBED_CTC_URL counts,
            then the challenge's site. The test archives are looked for in `test-datasets` beside it.
        kind: Whether the training or the test videos are wanted.

    Returns:
        The folder that holds `01` and the others.

    Raises:
        DataError: The data are not there and cannot be fetched, or an archive is damaged, unsafe, or another
            than before.
    """
    parent = data_dir if kind == "training" else data_dir / "test"
    folder = parent / dataset.name
    if any((folder / video).is_dir() for video in dataset.videos):
        return folder
    wanted = f"{folder}/{dataset.videos[0]}" + (f" and {dataset.videos[0]}_GT" if kind == "training" else "")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"{folder}: is there but holds no video; put {wanted} there, "
            "or remove it to have the archive unpacked"
        )
    if not dataset.archive:
        raise DataError(
            f"{folder}: does not exist, and this data set has no archive to fetch; put {wanted} there"
        )
    archive = parent / dataset.archive
    logging.info("%s: %s", dataset.name, dataset.licence)
    if not archive.exists():
        base = (base_url or os.environ.get(BASE_URL_VARIABLE) or BASE_URL).rstrip("/")
        base = base if kind == "training" else f"{base.rpartition('/')[0]}/test-datasets"
        _download(f"{base}/{dataset.archive}", archive, wanted)
    record = data_dir / "checksums.json"
    key = str(archive.relative_to(data_dir))
    checksum = _sha256(archive)
    known = _read_record(record)
    if known.get(key, checksum) != checksum:
        raise DataError(
            f"{archive}: its sha256 is not the one in {record}; remove the archive to fetch it again, "
            f"or the entry if the data set was published anew"
        )
    with atomic_folder(folder) as content:
        _unpack(archive, folder.name, content)
        atomic_write_text(record, json.dumps({**known, key: checksum}, indent=1, sort_keys=True) + "\n")
    return folder


def _download(url: str, archive: Path, wanted: str) -> None:
    logging.info("fetching %s", url)
    # pooch leaves a failed response's connection open.
    responses: list[requests.Response] = []
    hooks = {"response": lambda response, *_, **__: responses.append(response)}
    try:
        with atomic_file(archive) as partial:
            with partial.open("wb") as file:
                pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT, hooks=hooks)(
                    url, file, None
                )
            if not zipfile.is_zipfile(partial):
                raise DataError(
                    f"{url}: what came is not a complete zip archive; try again, "
                    f"or put the archive at {archive}"
                )
    except requests.RequestException as error:
        raise DataError(
            f"{url}: cannot be fetched ({_reason(error)}); put the archive at {archive}, "
            f"or its content at {wanted}"
        ) from error
    finally:
        for response in responses:
            response.close()


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error).split(": ")[0]


def _sha256(archive: Path) -> str:
    try:
        check_regular(archive)
    except ValueError as error:
        raise DataError(f"{archive}: cannot be unpacked ({error}); remove it to fetch the archive") from error
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(record: Path) -> dict[str, str]:
    try:
        known = read_json(record) if record.exists() else {}
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise DataError(f"{record}: is not a JSON object; remove it to record the checksums anew")
    return known


def _unpack(archive: Path, name: str, folder: Path) -> None:
    """Unpacks what lies in the archive's folder `name` into `folder`."""
    try:
        with zipfile.ZipFile(archive) as file:
            for member in file.namelist():
                path = PurePosixPath(member)
                if path.is_absolute() or ".." in path.parts or "\\" in member:
                    raise DataError(
                        f"{archive}: the member {member!r} points outside the archive; do not use it"
                    )
            unpacked = sum(entry.file_size for entry in file.infolist())
            if unpacked > max(SMALL_ARCHIVE, MOST_UNPACKED * archive.stat().st_size):
                raise DataError(
                    f"{archive}: would unpack to {unpacked / 1e9:.1f} GB, as no images do; do not use it"
                )
            inside = [entry for entry in file.infolist() if entry.filename.startswith(f"{name}/")]
            if not inside:
                raise DataError(
                    f"{archive}: does not hold the folder {name}; "
                    "it is another data set's archive, replace it"
                )
            for entry in inside:
                entry.filename = entry.filename.removeprefix(f"{name}/")
                if entry.filename:
                    file.extract(entry, folder)
    except DataError:
        raise
    except Exception as error:
        # These are errors of the disk, not of the archive.
        if isinstance(error, OSError) and error.errno in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EROFS,
            errno.EACCES,
            errno.EPERM,
        ):
            raise
        raise DataError(f"{archive}: is damaged ({reason(error)}); remove it to fetch it again") from error
