"""Finds a challenge data set on disk or fetches it from the challenge's site. Knows archives, not what is in the images.

What is downloaded is complete or absent; its sha256 is recorded in `checksums.json` at the first fetch and checked afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal

from absl import logging

from cosembed.errors import DataError
from cosembed.files import atomic_write_text
from cosembed.specs import DatasetSpec

BASE_URL = "http://data.celltrackingchallenge.net/training-datasets"
BASE_URL_VARIABLE = "COSEMBED_CTC_URL"
CHUNK = 2**20


def fetch(
    dataset: DatasetSpec, data_dir: Path, base_url: str | None = None, kind: Literal["training", "test"] = "training"
) -> Path:
    """Makes sure that a data set's videos are on disk.

    Args:
        dataset: Which one.
        data_dir: Videos belong to `data_dir/<name>` (training) or `data_dir/test/<name>` (the challenge's videos without
            truth). An archive that lies in that folder's parent already is unpacked instead of downloaded.
        base_url: Where the training archives are; also from the environment variable COSEMBED_CTC_URL. The test archives
            are looked for in `test-datasets` beside it.
        kind: Which of the two.

    Returns:
        The folder that holds `01` and the others.

    Raises:
        DataError: The data are not there and cannot be fetched, or an archive is damaged, unsafe, or not the one of before.
    """
    parent = data_dir if kind == "training" else data_dir / "test"
    folder = parent / dataset.name
    if any((folder / video).is_dir() for video in dataset.videos):
        return folder
    if not dataset.archive:
        raise DataError(f"{folder}: does not exist, and this data set has no archive to fetch; put {folder}/01 and 01_GT there")
    archive = parent / dataset.archive
    if not archive.exists():
        base = (base_url or os.environ.get(BASE_URL_VARIABLE) or BASE_URL).rstrip("/")
        base = base if kind == "training" else f"{base.rpartition('/')[0]}/test-datasets"
        logging.info("%s: %s", dataset.name, dataset.licence)
        _download(f"{base}/{dataset.archive}", archive, folder)
    _check_sha256(archive, data_dir / "checksums.json")
    _unpack(archive, folder)
    return folder


def _download(url: str, archive: Path, folder: Path) -> None:
    import pooch

    archive.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{archive.name}.", dir=archive.parent)
    os.close(handle)
    logging.info("fetching %s", url)
    try:
        with open(name, "wb") as file:
            pooch.HTTPDownloader(progressbar=False, timeout=30)(url, file, None, check_only=False)
        if not zipfile.is_zipfile(name):
            raise DataError(f"{url}: what came is not a complete zip archive; try again, or fetch it by hand to {archive}")
        os.replace(name, archive)
    except DataError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(
            f"{url}: cannot be fetched ({type(error).__name__}: {reason}); fetch it by hand to {archive}, "
            f"or put the videos into {folder} (01, 01_GT, ...)"
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _check_sha256(archive: Path, record: Path) -> None:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    try:
        known = json.loads(record.read_text()) if record.exists() else {}
    except ValueError as error:
        raise DataError(f"{record}: is not JSON; remove it to record the archives anew") from error
    key = str(archive.relative_to(record.parent))
    if known.setdefault(key, digest.hexdigest()) != digest.hexdigest():
        raise DataError(f"{archive}: its sha256 is not the one recorded in {record}; remove the archive to fetch it again")
    atomic_write_text(record, json.dumps(known, indent=1) + "\n")


def _unpack(archive: Path, folder: Path) -> None:
    """Unpacks the archive's one folder beside `folder`, then renames it into place."""
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as file:
            for member in file.infolist():
                path = PurePosixPath(member.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
                    raise DataError(f"{archive}: the member {member.filename!r} points outside the archive; do not use it")
            file.extractall(partial)
        content = partial / folder.name
        if not content.is_dir():
            raise DataError(f"{archive}: does not hold the folder {folder.name}; it is another data set's archive, replace it")
        os.rename(content, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: is damaged ({error}); remove it to fetch it again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
