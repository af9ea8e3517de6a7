"""Says which files of a folder are the frames of a video, in which order, and which are left out.

Knows names only, and opens no file. The last number in a name is the frame's; a channel part behind it, as in
`t000_ch00.tif`, says which channel of that frame a file is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from cosembed.errors import DataError, InputError
from cosembed.files.wording import counted

# The kinds of files that can be frames, and what else looks like images to a person.
KINDS = {".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG"}
OTHER_IMAGES = re.compile(
    r"\.(avi|bmp|czi|dcm|gif|heic|ims|jp2|jpe?g|jxl|lif|lsm|m4v|mkv|mov|mp4|mpe?g|nd2|oi[bf]|pgm|ppm|stk|svs|vsi|"
    r"webm|webp|wmv|zvi)",
    re.IGNORECASE,
)
# Files that hold a whole video, and are read with optional packages.
MICROSCOPE_FILES = (".czi", ".nd2")
MOVIES = re.compile(r"\.(avi|gif|m4v|mkv|mov|mp4|mpe?g|webm|wmv)", re.IGNORECASE)
LISTED = 20
_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")
_CHANNEL = re.compile(r"[-_ ](?:channel|ch|c)(\d+)$", re.IGNORECASE)
_TIME = re.compile(r"(?:^|[-_ ])(?:t|time|frame)\d+$", re.IGNORECASE)


Order = Literal["number", "name"]
Gaps = Literal["refuse", "hold"]


@dataclass(frozen=True)
class FrameChoice:
    """Says how the files of a folder become a video.

    Attributes:
        pattern: The frames' file name with `{frame}` in place of the number and `*` for anything, for example
            `exp3_t{frame}_c1.tif`; other files are left out. Empty: all TIFF or PNG files.
        order: `number` goes by the numbers in the names, which rise by one; `name` takes the files one after
            the other in natural order of their names, numbered from 0.
        gaps: `refuse` makes a missing or blank frame an error; `hold` puts the frame before in its place.
    """

    pattern: str = ""
    order: Order = "number"
    gaps: Gaps = "refuse"

    def __post_init__(self) -> None:
        """Refuses unknown words, and a pattern without the number's place, unless names give the order."""
        for key, words in (("order", get_args(Order)), ("gaps", get_args(Gaps))):
            if getattr(self, key) not in words:
                raise InputError(f"{key}: is {getattr(self, key)!r}; choose {' or '.join(words)}")
        if self.pattern and self.order == "number" and self.pattern.count("{frame}") != 1:
            raise InputError(
                f"--pattern={self.pattern}: must hold {{frame}} once, where the frame's number is, for "
                "example t{frame}_ch00.tif; or add --order=name"
            )

    def matcher(self) -> re.Pattern[str]:
        """Returns the pattern as a regular expression, whose first group is the frame's number."""
        parts = {"{frame}": r"(\d+)", "*": ".*"}
        pieces = re.split(r"(\{frame\}|\*)", self.pattern)
        return re.compile("".join(parts.get(piece, re.escape(piece)) for piece in pieces), re.ASCII)


AS_NUMBERED = FrameChoice()


class FrameFiles(NamedTuple):
    """Holds the files of one frame, one for each channel or one for all, and the frame's number.

    A held frame has none of its own: its files are those of the frame before.
    """

    number: int
    files: tuple[Path, ...]
    held: bool = False


@dataclass(frozen=True)
class Listing:
    """Holds what a folder's names say.

    Attributes:
        frames: The frames in order.
        left_out: Image-like files that are no frames.
        faults: What is wrong with the names.
    """

    frames: list[FrameFiles]
    left_out: list[Path]
    faults: list[DataError] = field(default_factory=list)


def list_frames(folder: Path, choice: FrameChoice = AS_NUMBERED) -> Listing:
    """Finds the frames of a folder by the files' names.

    Args:
        folder: It must exist.
        choice: Which files are taken, in which order.
    """
    visible = sorted((path for path in folder.iterdir() if path.name[0] != "."), key=_natural)
    files = [path for path in visible if path.suffix.lower() in KINDS]
    others = [path for path in visible if OTHER_IMAGES.fullmatch(path.suffix)]
    if choice.pattern:
        chosen = choice.matcher()
        files = [path for path in files if chosen.fullmatch(path.name)]
        # Those that are not frames were left out on purpose.
        others = []
    faults = list(_mixed_kinds(folder, files, others))
    if choice.order == "name":
        return Listing([FrameFiles(index, (path,)) for index, path in enumerate(files)], others, faults)
    if choice.pattern:
        numbered = [(int(match[1]), path) for path in files if (match := chosen.fullmatch(path.name))]
        return _numbered(sorted(numbered), others, faults, choice, channels=True)
    if not any(file_number(path) is not None for path in files):
        return Listing([FrameFiles(index, (path,)) for index, path in enumerate(files)], others, faults)
    for path in files:
        if file_number(path) is None:
            known = next(other for other in files if file_number(other) is not None)
            faults.append(
                DataError(f"{path}: has no frame number, unlike {known.name}; number it or move it elsewhere")
            )
    channels = _have_channels(files)
    found = ((file_number(_without_channel(path) if channels else path), path) for path in files)
    known_numbers = sorted((number, path) for number, path in found if number is not None)
    return _numbered(known_numbers, others, faults, choice, channels)


def looks_like_image(path: Path) -> bool:
    """Tells whether a file's name is that of an image, of a kind that can be read or another."""
    return path.suffix.lower() in KINDS or OTHER_IMAGES.fullmatch(path.suffix) is not None


def is_movie(path: Path) -> bool:
    """Tells whether a file's name is that of a film, such as AVI or MP4."""
    return MOVIES.fullmatch(path.suffix) is not None


def how_to_convert(movie: Path) -> str:
    """Words the commands that make frames of a film."""
    folder = shlex.quote(str(movie.with_suffix("")))
    return f"mkdir {folder} && ffmpeg -i {shlex.quote(str(movie))} -pix_fmt gray {folder}/t%04d.png"


def file_number(path: Path) -> int | None:
    """Finds the last number in a file's name, `t012.tif` -> 12; None if there is none."""
    match = _LAST_NUMBER.search(path.stem)
    return int(match[1]) if match else None


def name_files(paths: Sequence[Path]) -> str:
    """Lists the names of files for a sentence, the first `LISTED` of them."""
    names = ", ".join(path.name for path in paths[:LISTED])
    return names + (f" and {len(paths) - LISTED} more" if len(paths) > LISTED else "")


def _numbered(
    files: list[tuple[int, Path]],
    others: list[Path],
    faults: list[DataError],
    choice: FrameChoice,
    channels: bool,
) -> Listing:
    """Groups files, sorted by their numbers, into frames, and finds gaps and repetitions."""
    frames: list[FrameFiles] = []
    known: set[str] = set()
    for number, path in files:
        match = _CHANNEL.search(path.stem) if channels else None
        channel = match[1] if match else ""
        if not frames or frames[-1].number != number:
            for missing in range(frames[-1].number + 1, number) if frames and choice.gaps == "hold" else ():
                frames.append(FrameFiles(missing, frames[-1].files, held=True))
            frames.append(FrameFiles(number, (path,)))
            known = {channel}
        elif channel in known:
            faults.append(
                DataError(
                    f"{path}: has the same number as {frames[-1].files[0].name} (the last number in a name "
                    "counts); keep or rename one, or choose with --pattern"
                )
            )
        else:
            frames[-1] = frames[-1]._replace(files=(*frames[-1].files, path))
            known.add(channel)
    faults += _gaps(frames)
    faults += (
        DataError(
            f"{frame.files[0]}: its frame has {counted(len(frame.files), 'channel')}, but that of "
            f"{frames[0].files[0].name} {len(frames[0].files)}; add the missing file, or choose one channel "
            "with --pattern"
        )
        for frame in frames
        if len(frame.files) != len(frames[0].files)
    )
    return Listing(frames, others, faults)


def _gaps(frames: Sequence[FrameFiles]) -> Iterator[DataError]:
    for before, after in pairwise(frames):
        if after.number > before.number + 1:
            first, second = before.files[0], after.files[0]
            # The name without its channel part is looked at first, since that may hold the same number.
            match = next(
                match
                for stem in (_without_channel(first).stem, first.stem)
                for match in reversed(list(re.finditer(r"\d+", stem)))
                if int(match[0]) == before.number
            )
            number = str(before.number + 1).zfill(len(match[0]))
            missing = first.name[: match.start()] + number + first.name[match.end() :]
            yield DataError(
                f"{first.with_name(missing)}: is missing; {second.name} follows {first.name}, add it "
                "(for a video that is only tracked, --gaps=hold puts the frame before in its place, and "
                "--order=name ignores the numbers)"
            )


def _mixed_kinds(folder: Path, files: Sequence[Path], others: Sequence[Path]) -> Iterator[DataError]:
    """Finds frames of several kinds: of ours, or others that continue the names of ours."""
    if not files:
        return
    kind = KINDS[files[0].suffix.lower()]
    mixed = [path for path in files if KINDS[path.suffix.lower()] != kind]
    patterns = {_LAST_NUMBER.sub("#", path.stem) for path in files if file_number(path) is not None}
    stems = {path.stem for path in files}
    mixed += [
        path for path in others if path.stem not in stems and _LAST_NUMBER.sub("#", path.stem) in patterns
    ]
    if mixed:
        yield DataError(
            f"{folder}: holds frames of mixed kinds: {files[0].name} is {kind}, but there "
            f"{'is' if len(mixed) == 1 else 'are'} also {name_files(mixed)}; convert all frames to one kind, "
            "or move the others elsewhere"
        )


def _have_channels(files: Sequence[Path]) -> bool:
    """Tells whether the names end in channel parts, and not in frame numbers that look like them."""
    if not all(_CHANNEL.search(path.stem) for path in files):
        return False
    rest = [_without_channel(path) for path in files]
    numbers = {file_number(path) for path in rest}
    return None not in numbers and (len(numbers) > 1 or all(_TIME.search(path.stem) for path in rest))


def _without_channel(path: Path) -> Path:
    return path.with_name(_CHANNEL.sub("", path.stem) + path.suffix)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Orders names as a person does: 2 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts]
