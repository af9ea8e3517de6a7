"""Names the shards of a video: parts of its pieces, each of which a run of its own computes.

The file of a shard lies beside the result folder and is called as `my_RES.shard-3-of-8`. Knows names only,
not what is in the files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from cosembed.errors import DataError, InputError


class Shard(NamedTuple):
    """Names a part of a video's pieces: number 1 to `total` of so many."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def file(self, output: Path) -> Path:
        """Returns the file of the shard, beside the result folder."""
        place = output.absolute()
        return place.with_name(f"{place.name}.shard-{self.number}-of-{self.total}")


def parse_shard(text: str) -> Shard:
    """Reads what `--shard` takes.

    Raises:
        InputError: It is no `i/n` with 1 <= i <= n.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.number <= shard.total:
        raise InputError(f"--shard={text}: write i/n with i from 1 to n, such as 3/8")
    return shard


def find_shards(output: Path) -> list[Shard]:
    """Finds all shards beside a result folder.

    Raises:
        DataError: There is none, or those of several divisions are there.
    """
    place = output.absolute()
    pattern = re.compile(rf"{re.escape(place.name)}\.shard-(\d+)-of-(\d+)")
    names = [entry.name for entry in place.parent.iterdir()] if place.parent.is_dir() else []
    shards = sorted(Shard(int(found[1]), int(found[2])) for found in map(pattern.fullmatch, names) if found)
    if not shards:
        raise DataError(
            f"{output}: there are no shards beside it, such as {place.name}.shard-1-of-8; cosembed track "
            "--shard=1/8 makes the first of eight"
        )
    counts = sorted({shard.total for shard in shards})
    if len(counts) > 1:
        raise DataError(
            f"{output}: shards of {' and of '.join(map(str, counts))} lie beside it; remove those that do "
            "not belong to this result"
        )
    return shards
