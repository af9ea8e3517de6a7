"""Any valid table becomes a graph and the same table again; without labels it becomes the same lineages."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.exchange.graph_tracks import CellGraph, find_tracks
from cosembed.exchange.result_folder import chains, lineages


@st.composite
def tables(draw) -> list[Track]:
    """A valid table of up to ten tracks, labels in any order; parents end before their daughters begin."""
    labels = draw(st.permutations(range(1, 11)))
    tracks: list[Track] = []
    for label in labels[: draw(st.integers(0, 10))]:
        begin = draw(st.integers(0, 6))
        end = begin + draw(st.integers(0, 3))
        before = [0, *(track.label for track in tracks if track.end < begin)]
        tracks.append(Track(label, begin, end, draw(st.sampled_from(before))))
    return sorted(tracks)


def graph_of(tracks: list[Track], segment_of, keeps_labels=False) -> tuple[CellGraph, list[tuple[int, int]]]:
    """The graph of a table, and (frame, label) of each node; nodes are called by odd numbers, backwards."""
    places = [(frame, t.label) for t in tracks for frame in range(t.begin, t.end + 1)]
    node = {place: number for number, place in enumerate(places)}
    ends = {track.label: track.end for track in tracks}
    edges = [(node[f, t.label], node[f + 1, t.label]) for t in tracks for f in range(t.begin, t.end)]
    edges += [(node[ends[t.parent], t.parent], node[t.begin, t.label]) for t in tracks if t.parent]
    graph = CellGraph(
        "graph",
        2 * np.arange(len(places))[::-1] + 1,
        np.array([frame for frame, _ in places], np.int64),
        np.array([segment_of(place) for place in places], np.int64),
        np.array(edges, np.int64).reshape(-1, 2),
        keeps_labels,
    )
    return graph, places


@given(tables())
def test_labels_that_follow_the_cells_are_kept(tracks):
    graph, places = graph_of(tracks, lambda place: place[1], keeps_labels=True)
    found = find_tracks(graph)
    assert found.tracks == tracks
    assert found.labels.tolist() == [label for _, label in places]


@given(tables())
def test_without_labels_paths_without_branches_and_gaps_are_tracks(tracks):
    # Every frame numbers its cells anew, in an order of its own.
    def segment(place: tuple[int, int]) -> int:
        frame, label = place
        return 1 + (label * 7 + frame * 5) % 11

    graph, places = graph_of(tracks, segment)
    found = find_tracks(graph)
    daughters = Counter(track.parent for track in tracks if track.parent)
    table = {track.label: track for track in tracks}
    joined = {
        track.label: track.parent
        for track in tracks
        if daughters[track.parent] == 1 and track.parent and table[track.parent].end == track.begin - 1
    }
    assert len(found.tracks) == len(tracks) - len(joined)
    name = dict(zip(places, found.labels.tolist(), strict=True))
    for track in tracks:
        own = {name[frame, track.label] for frame in range(track.begin, track.end + 1)}
        assert len(own) == 1
        if track.parent:
            mother = name[table[track.parent].end, track.parent]
            (label,) = own
            ours = next(found_track for found_track in found.tracks if found_track.label == label)
            assert (label == mother) if track.label in joined else (ours.parent == mother)


@given(tables())
def test_chains_and_lineages_are_connected_paths(tracks):
    first, root = chains(tracks), lineages(tracks)
    daughters = Counter(track.parent for track in tracks if track.parent)
    for track in tracks:
        alone = track.parent != 0 and daughters[track.parent] == 1
        assert first[track.label] == (first[track.parent] if alone else track.label)
        assert root[track.label] == (root[track.parent] if track.parent else track.label)


def test_what_a_challenge_folder_cannot_hold_is_named():
    tracks = [Track(1, 0, 2, 0), Track(2, 3, 4, 1), Track(3, 3, 4, 1)]
    graph, _ = graph_of(tracks, lambda place: place[1])
    backwards = np.vstack([graph.edges, [[4, 0]]])
    with pytest.raises(DataError, match=r"from node 5 in frame 4 to node 13 in frame 0, so that .* cyclic"):
        find_tracks(CellGraph("graph", graph.ids, graph.frames, graph.segments, backwards))
    with pytest.raises(DataError, match="graph: an edge leads from node 13 in frame 0 to node 13 in frame 0"):
        find_tracks(CellGraph("graph", graph.ids, graph.frames, graph.segments, np.array([[0, 0]])))
    merging = np.vstack([graph.edges, [[5, 4]]])
    with pytest.raises(DataError, match="graph: node 5 has several parents"):
        find_tracks(CellGraph("graph", graph.ids, graph.frames, graph.segments, merging))
    with pytest.raises(DataError, match="two nodes of frame 3 have the label 2"):
        find_tracks(graph_of(tracks, lambda place: min(place[1], 2))[0])
    for wrong in (0, 65536):
        with pytest.raises(DataError, match=f"holds the label {wrong}, .* from 1 to 65535"):
            find_tracks(
                graph_of(tracks, lambda place, wrong=wrong: wrong if place == (0, 1) else place[1])[0]
            )
