"""Orders the tracks of a video by family. It knows track tables, not how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cosembed.datasets.ctc.track_table import Track


def followers(tracks: Sequence[Track]) -> dict[int, list[int]]:
    """Lists the tracks that follow each label, earliest first; those of no known parent follow 0."""
    children: dict[int, list[int]] = {}
    labels = {track.label for track in tracks}
    for track in sorted(tracks, key=lambda track: (track.begin, track.label)):
        children.setdefault(track.parent if track.parent in labels else 0, []).append(track.label)
    return children


def born_by_division(tracks: Sequence[Track], children: Mapping[int, Sequence[int]]) -> set[int]:
    """Finds the labels of all tracks that began with a division, or continue one that did.

    Args:
        tracks: All tracks.
        children: What `followers` gives for them.
    """
    found: set[int] = set()
    # A parent begins before those that follow it.
    for track in sorted(tracks, key=lambda track: track.begin):
        divided = track.parent != 0 and len(children.get(track.parent, ())) > 1
        if divided or track.parent in found:
            found.add(track.label)
    return found


def family_order(children: Mapping[int, Sequence[int]]) -> list[int]:
    """Orders the labels so that families stay together and a mother is between her daughters.

    Args:
        children: What `followers` gives for all tracks.
    """
    order: list[int] = []
    # The stack holds a label and whether its first half of daughters is done; recursion would limit the
    # depth.
    stack = [(founder, False) for founder in reversed(children.get(0, []))]
    while stack:
        label, ready = stack.pop()
        daughters = children.get(label, [])
        if ready or not daughters:
            order.append(label)
            continue
        # The only one that continues a track is below it.
        half = 0 if len(daughters) == 1 else (len(daughters) + 1) // 2
        stack += [(daughter, False) for daughter in reversed(daughters[half:])]
        stack.append((label, True))
        stack += [(daughter, False) for daughter in reversed(daughters[:half])]
    return order
