"""What pieces gave comes back from a file, and a file of another kind is refused."""

import numpy as np
import pytest

from cosembed.errors import DataError
from cosembed.inference.piece_files import read_pieces, read_record, write_pieces
from cosembed.inference.samples import SampledTile
from cosembed.inference.tiled import PieceResults


def some_results() -> tuple[PieceResults, dict[tuple[int, int], np.ndarray]]:
    generator, found, labels = np.random.default_rng(5), PieceResults(), {}
    for pair, tile in ((1, 0), (0, 2), (0, 0), (1, 1)):
        labels[pair, tile] = generator.integers(0, 9, (2, 3 + tile, 4)).astype(np.int32)
        found.labels.append(pair, tile, labels[pair, tile])
    found.sampled.append(SampledTile(0, 2, generator.normal(size=(3, 4, 2)).astype(np.float32)))
    found.seconds["network"] = 1.5
    return found, labels


def content_of(found: PieceResults) -> dict[tuple[int, int], np.ndarray]:
    return {(pair, tile): image for pair in (0, 1) for tile, image in found.labels.of_pair(pair)}


def test_pieces_come_back_from_a_file_and_are_added_to_others(tmp_path):
    found, labels = some_results()
    write_pieces(tmp_path / "shard", {"values": "x"}, found)
    assert read_record(tmp_path / "shard") == {"values": "x", "seconds": {"network": 1.5}}
    back = PieceResults(seconds={"network": 1.0})
    back.add(read_pieces(tmp_path / "shard"))
    assert len(back.labels) == 4 and back.seconds == {"network": 2.5}
    content = content_of(back)
    assert content.keys() == labels.keys()
    for place, image in labels.items():
        assert content[place].dtype == np.int32
        np.testing.assert_array_equal(content[place], image)
    np.testing.assert_array_equal(back.sampled[0].embeddings, found.sampled[0].embeddings)
    assert list(back.labels.of_pair(2)) == []


def test_the_file_of_an_earlier_version_is_refused_in_a_sentence(tmp_path):
    found, _ = some_results()
    write_pieces(tmp_path / "shard.npz", {}, found)
    with np.load(tmp_path / "shard.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["labels"] = arrays.pop("instances")
    np.savez(tmp_path / "shard.npz", **arrays)
    with pytest.raises(DataError, match=r"shard\.npz: was made by another version of cosembed; remove it"):
        read_pieces(tmp_path / "shard.npz")
