"""Tracks several videos for `cosembed track`, one after the other or as tasks of a cluster.

A video that cannot be tracked keeps no other from it. Knows no flags.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from cosembed.commands.exit_status import sentence_about
from cosembed.commands.track_video import VideoTask, track_video
from cosembed.errors import CosembedError, InputError
from cosembed.files.wording import counted
from cosembed.images.zarr_video import is_zarr
from cosembed.processes.cluster import Outcome, Task, connected


def find_videos(inputs: Sequence[str]) -> dict[str, str]:
    """Finds the videos that patterns and paths name; the result of each is called as it.

    Args:
        inputs: Paths, or patterns such as `plate/*`.

    Returns:
        Name -> path, in the order given; those of a pattern in the order of their names.

    Raises:
        InputError: A pattern fits nothing, or two videos have the same name.
    """
    videos: dict[str, str] = {}
    for text in inputs:
        paths = sorted(glob(text)) if is_pattern(text) else [text]
        if not paths:
            raise InputError(f"--input={text}: nothing fits this pattern; check the path")
        for path in paths:
            # A link is called by its own name, and the working folder by the one it has.
            place = Path(os.path.abspath(path))
            name = place.name if place.is_dir() and not is_zarr(place) else place.stem
            if videos.setdefault(name, path) != path:
                raise InputError(
                    f"--input: the results of {videos[name]} and {path} would both be called {name}; track "
                    "them into folders of their own"
                )
    return videos


def is_pattern(text: str) -> bool:
    """Tells whether an input is a pattern, and not the path of something that is called so."""
    return has_magic(text) and not Path(text).exists()


def track_videos(tasks: Sequence[VideoTask], scheduler: str) -> None:
    """Tracks all videos, and names at the end those that failed.

    Args:
        tasks: The videos; every output folder has a name of its own.
        scheduler: That of the cluster whose workers track; empty for none.

    Raises:
        InputError: At least one video failed; all others are complete.
    """
    named = {task.output.name: task for task in tasks}
    failed: dict[str, str] = {}
    outcomes = _on_cluster(named, scheduler) if scheduler else _one_after_another(named)
    for number, outcome in enumerate(outcomes, start=1):
        print(outcome.printed, end="")
        if outcome.error is not None:
            failed[outcome.name] = _sentence(outcome.error)
        if len(tasks) > 1:
            done = failed.get(outcome.name, "done")
            print(f"== {number} of {len(tasks)}: {outcome.name}: {done}", flush=True)
    if not failed:
        return
    sentences = set(failed.values())
    if len(failed) == len(tasks) and len(sentences) == 1:
        # What all videos share is at fault, such as the network.
        raise InputError(sentences.pop())
    for name, sentence in failed.items():
        print(f"error: {name}: {sentence}", file=sys.stderr)
    raise InputError(
        f"{len(failed)} of {counted(len(tasks), 'video')} failed; the others are complete, and the same "
        "command tracks those that failed again"
    )


def _one_after_another(named: dict[str, VideoTask]) -> Iterator[Outcome]:
    for name, task in named.items():
        print(f"== {name}", flush=True)
        try:
            track_video(task)
        except BrokenPipeError:
            raise
        except (InputError, OSError) as error:
            yield Outcome(name, error=error)
        else:
            yield Outcome(name)


def _on_cluster(named: dict[str, VideoTask], scheduler: str) -> Iterable[Outcome]:
    with connected(scheduler) as cluster:
        yield from cluster.run([Task(name, track_video, (task,)) for name, task in named.items()])


def _sentence(error: CosembedError | OSError) -> str:
    """Says in one sentence why a video failed; raises the error again if it may be a fault of ours."""
    if isinstance(error, CosembedError):
        return " ".join(str(error).split())
    sentence = sentence_about(error)
    if sentence is None:
        raise error
    return sentence
