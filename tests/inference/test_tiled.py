"""A video in tiles and windows: the same as whole where there is one tile, and however pieces are grouped."""

import gc
import weakref

import numpy as np
import pytest

import cosembed
from cosembed import specs
from cosembed.clustering import background_embedding, cluster_pair
from cosembed.errors import DataError
from cosembed.images.array_frames import ArrayFrames
from cosembed.inference import pieces as pieces_module
from cosembed.inference.pieces import (
    TilePair,
    cluster_pieces,
    embed_pieces,
    estimate_background,
    plan_pieces,
)
from cosembed.inference.stepper import prepare_frames
from cosembed.inference.tiled import PieceResults, compute_pieces, join_pieces
from cosembed.inference.video import track_frames
from cosembed.tracking import track_embeddings


@pytest.fixture(scope="module")
def network():
    return cosembed.load_network("simulated")


@pytest.fixture(scope="module")
def frames():
    """Six frames of 130 x 150 pixels, which are as many network pixels at a scale of 1."""
    video = cosembed.simulate_video(frames=6, size=150, cells=8, difficulty=0, seed=2)
    return ArrayFrames(video.images[:, :130])


def spec_of(network, **inference):
    return specs.override(
        network.spec, {f"inference.{name}": value for name, value in ({"scale": 1.0} | inference).items()}
    )


@pytest.mark.parametrize("window", [0, 6, 9])
def test_one_tile_gives_what_the_whole_image_gives(network, window):
    video = cosembed.simulate_video(frames=5, size=96, cells=4, difficulty=0, seed=1)
    frames = ArrayFrames(video.images)
    whole = track_frames(network.stepper, frames, network.spec, [0, 3])
    tiled = track_frames(network.stepper, frames, spec_of(network, window=window), [0, 3])
    np.testing.assert_array_equal(whole.result.labels, tiled.result.labels)
    assert whole.result.tracks == tiled.result.tracks and whole.grid == tiled.grid
    assert list(whole.samples) == list(tiled.samples) == list(tiled.checks) == [0, 3]
    for frame in (0, 3):
        np.testing.assert_array_equal(whole.samples[frame], tiled.samples[frame])
        np.testing.assert_array_equal(whole.samples[frame], tiled.checks[frame])


def test_windows_begin_with_a_zero_state(network, frames):
    """Each pair is what a fresh run over its window's frames gives, tile by tile."""
    spec = spec_of(network, window=3)
    plan = plan_pieces(len(frames), frames.shape, spec)
    assert len(plan.tiles) == 6 and len(plan.windows) == 4
    images = list(prepare_frames(frames, spec))
    found = {
        (pair, tile): embeddings
        for pair, tile, embeddings in embed_pieces(network.stepper, frames, spec, plan, plan.pieces)
    }
    assert sorted(found) == [(pair, tile) for pair in range(5) for tile in range(6)]
    for (pair, tile), embeddings in found.items():
        begin = max(0, pair - 1)
        inputs = [plan.tiles[tile].cut(image) for image in images[begin : begin + 3]]
        alone = list(network.stepper(inputs))
        np.testing.assert_array_equal(embeddings, alone[pair - begin : pair - begin + 2])


def test_without_windows_the_state_of_every_tile_is_carried_on(network, frames):
    spec = spec_of(network)
    plan = plan_pieces(len(frames), frames.shape, spec)
    images = list(prepare_frames(frames, spec))
    alone = [list(network.stepper(map(tile.cut, images))) for tile in plan.tiles]
    for pair, tile, embeddings in embed_pieces(network.stepper, frames, spec, plan, plan.pieces):
        np.testing.assert_array_equal(embeddings, alone[tile][pair : pair + 2])


@pytest.mark.parametrize("window", [0, 3])
def test_the_result_does_not_depend_on_how_pieces_are_shared_out(network, frames, window, monkeypatch):
    spec = spec_of(network, window=window)
    together = track_frames(network.stepper, frames, spec, [0, 2, 5], workers=2)
    plan = plan_pieces(len(frames), frames.shape, spec)
    # One tile at a time, and pieces in any order.
    monkeypatch.setattr(pieces_module, "GROUP_BYTES", 1)
    order = np.random.default_rng(3).permutation(len(plan.pieces))
    found = PieceResults()
    for part in np.array_split(order, 3):
        share = [plan.pieces[index] for index in part]
        found.add(compute_pieces(network.stepper, frames, spec, plan, share, [0, 2, 5], workers=0))
    joined = join_pieces(found, frames, spec, plan)
    np.testing.assert_array_equal(together.result.labels, joined.result.labels)
    assert together.result.tracks == joined.result.tracks
    for before, after in (
        (together.samples, joined.samples.pictures()),
        (together.checks, joined.samples.checks()),
    ):
        assert list(before) == list(after) == [0, 2, 5]
        for frame in before:
            np.testing.assert_array_equal(before[frame], after[frame])


def test_frames_are_prepared_once_for_a_group_of_tiles(network, frames, monkeypatch):
    prepared = []

    def counting(given, spec):
        for image in prepare_frames(given, spec):
            prepared.append(image)
            yield image

    monkeypatch.setattr(pieces_module, "prepare_frames", counting)
    for window, inference in ((0, {}), (3, {"window": 3})):
        spec = spec_of(network, **inference)
        plan = plan_pieces(len(frames), frames.shape, spec)
        prepared.clear()
        assert len(list(embed_pieces(network.stepper, frames, spec, plan, plan.pieces))) == 30
        assert len(prepared) == len(frames), window


def test_the_states_of_a_group_are_gone_before_the_next_one_begins(network, frames, monkeypatch):
    """Without the collector of circles, which does not know how large a state is."""
    made = []

    class Noted(pieces_module._TileStream):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(weakref.ref(self))

    monkeypatch.setattr(pieces_module, "_TileStream", Noted)
    monkeypatch.setattr(pieces_module, "GROUP_BYTES", 1)
    spec = spec_of(network)
    plan = plan_pieces(len(frames), frames.shape, spec)
    gc.collect()
    gc.disable()
    try:
        for _ in embed_pieces(network.stepper, frames, spec, plan, plan.pieces):
            assert sum(stream() is not None for stream in made) == 1
    finally:
        gc.enable()
    assert len(made) == len(plan.tiles) == 6


def test_the_background_is_the_median_over_tiles_of_the_whole_image(network, frames):
    spec = spec_of(network)
    plan = plan_pieces(len(frames), frames.shape, spec)
    images = list(prepare_frames(frames, spec))[:2]
    shown = [np.stack(list(network.stepper(map(tile.cut, images)))) for tile in plan.tiles]
    np.testing.assert_array_equal(
        estimate_background(network.stepper, frames, spec, plan), background_embedding(np.concatenate(shown))
    )


def test_a_small_image_lies_in_the_middle_of_a_tile_whose_rest_is_no_part_of_it(network):
    video = cosembed.simulate_video(frames=2, size=96, cells=4, difficulty=0, seed=1)
    small = ArrayFrames(video.images[:, :70, :81])
    spec = spec_of(network)
    tracked = track_frames(network.stepper, small, spec)
    padded = []
    for image in prepare_frames(small, spec):
        tile = np.full((96, 96, 1), -1, np.float32)
        tile[13:83, 7:88] = image
        padded.append(tile)
    embeddings = np.stack(list(network.stepper(padded)))[:, 13:83, 7:88]
    expected = track_embeddings(embeddings, spec.tracking)
    np.testing.assert_array_equal(tracked.result.labels, expected.labels)
    assert tracked.result.labels.any()


def test_one_frame_and_tiles_without_any_cell(network):
    image = cosembed.simulate_video(frames=1, size=96, cells=4, difficulty=0, seed=1).images
    wide = np.pad(image, ((0, 0), (0, 0), (0, 200)), mode="median")
    for window in (0, 4):
        tracked = track_frames(network.stepper, ArrayFrames(wide), spec_of(network, window=window), [0])
        assert tracked.result.labels.shape == (1, 96, 296)
        assert tracked.result.labels[:, :, :96].any()
        assert list(tracked.checks) == [0]


def test_cells_larger_than_a_tile_are_refused_with_the_remedy(network, frames):
    """Of discs of 60 pixels in tiles of 16, every tile shows a part."""
    spec = spec_of(network, tile=32, overlap=16)
    plan = plan_pieces(2, frames.shape, spec)
    rows, columns = np.mgrid[: plan.shape[0], : plan.shape[1]]
    cell = ((rows - 60) ** 2 + (columns - 70) ** 2 < 30**2).astype(np.int32)
    two = ArrayFrames(np.stack([frames[0], frames[1]]))
    found = PieceResults()
    for index, tile in enumerate(plan.tiles):
        part = cell[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        found.labels.append(0, index, np.stack([part, part]))
    with pytest.raises(
        DataError, match=r"frame 0: .* row 31, column 41 .* 59 x 59 .* 32 x 32.*inference\.scale"
    ):
        join_pieces(found, two, spec, plan)


def test_a_scale_at_which_cells_cannot_be_seen_gives_an_empty_result(network, frames):
    tracked = track_frames(network.stepper, frames, spec_of(network, scale=0.02))
    assert tracked.result.labels.shape == (6, 3, 3)
    assert tracked.result.tracks == [] and not tracked.result.labels.any()


def test_embeddings_that_are_not_finite_are_refused(network, frames):
    broken = TilePair(3, 0, np.full((2, 8, 8, 12), np.nan, np.float32))
    with pytest.raises(DataError, match="frame 4: the embeddings are not finite"):
        list(cluster_pieces([broken], np.zeros(12, np.float32), network.spec, 0))


def test_every_tile_and_pair_is_clustered_by_itself(network, frames):
    spec = spec_of(network)
    plan = plan_pieces(len(frames), frames.shape, spec)
    background = estimate_background(network.stepper, frames, spec, plan)
    found = compute_pieces(network.stepper, frames, spec, plan, plan.pieces[2:3], workers=0)
    pairs = list(embed_pieces(network.stepper, frames, spec, plan, plan.pieces[2:3]))
    assert [(one.pair, one.tile) for one in found.labels.packed()] == [(pair, 2) for pair in range(5)]
    for number, pair in enumerate(pairs):
        ((tile, labels),) = found.labels.of_pair(number)
        assert tile == 2
        np.testing.assert_array_equal(labels, cluster_pair(pair.embeddings, background, spec.tracking))
