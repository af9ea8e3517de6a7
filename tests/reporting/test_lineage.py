"""Families stay together in a lineage, however deep, and divisions are told from continuations."""

import hypothesis
import networkx as nx
from hypothesis import strategies as st

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting.lineage import born_by_division, family_order, followers


def order_of(tracks: list[Track]) -> list[int]:
    return family_order(followers(tracks))


def test_families_stay_together_and_a_mother_is_between_her_daughters():
    tracks = [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 0, 9, 0), Track(5, 0, 9, 77)]
    assert order_of(tracks) == [2, 1, 3, 4, 5]


@st.composite
def track_tables(draw) -> list[Track]:
    """Tracks of one frame each, whose parents are any earlier ones."""
    count = draw(st.integers(0, 30))
    return [
        Track(label, label, label, draw(st.integers(0, label - 1)) if draw(st.booleans()) else 0)
        for label in range(1, count + 1)
    ]


@hypothesis.given(track_tables())
def test_every_track_has_one_row_and_families_are_not_torn(tracks):
    """Families are the connected parts of the graph of parents."""
    graph = nx.DiGraph()
    graph.add_nodes_from(track.label for track in tracks)
    graph.add_edges_from((track.parent, track.label) for track in tracks if track.parent)
    order = order_of(tracks)
    assert sorted(order) == sorted(graph)
    for family in nx.weakly_connected_components(graph):
        rows = sorted(order.index(label) for label in family)
        assert rows == list(range(rows[0], rows[0] + len(rows)))
    divided = {label for label in graph if graph.out_degree(label) > 1}
    expected = {label for label in graph if nx.ancestors(graph, label) & divided}
    assert born_by_division(tracks, followers(tracks)) == expected


def test_a_lineage_of_ten_thousand_generations_is_ordered():
    tracks = [Track(label, label, label, label - 1) for label in range(1, 10_001)]
    assert order_of(tracks) == list(range(1, 10_001))
    assert born_by_division(tracks, followers(tracks)) == set()
