"""What embeddings say of a network without truth: drawn ones with a known answer, and loops over pixels."""

import numpy as np
import pytest

from cosembed.video_job.fitness import LIMITS, Fitness, doubts_about_fitness, measure_fitness

BACKGROUND, FIRST, SECOND = np.eye(3, dtype=np.float32)
LABELS = np.zeros((3, 20, 24), np.uint16)
LABELS[:, 3:9, 3:11] = 1
LABELS[:, 11:17, 12:20] = 2


def drawn(labels: np.ndarray = LABELS[0]) -> np.ndarray:
    """The embeddings of a network that suits: float32 [H, W, 3]."""
    return np.stack([BACKGROUND, FIRST, SECOND])[labels]


def between(similarity: float) -> np.ndarray:
    """An embedding of the first cell's side that has this cosine with the background."""
    return similarity * BACKGROUND + np.sqrt(1 - similarity**2) * FIRST


def measured(embedding: np.ndarray) -> Fitness:
    return measure_fitness({1: embedding.astype(np.float32)}, LABELS)


def reasons(fitness: Fitness) -> list[str]:
    """The words of the limits that are passed."""
    said = " ".join(doubts_about_fitness(fitness))
    return [limit.measure for limit in LIMITS if limit.words in said]


def test_embeddings_as_the_loss_asks_for_give_no_doubt():
    fitness = measured(drawn())
    np.testing.assert_allclose(fitness, (0, 0, 0), atol=1e-6)
    assert list(doubts_about_fitness(fitness)) == []


def test_cells_that_lean_towards_the_background_are_undecided():
    embedding = drawn()
    embedding[LABELS[0] == 1] = between(0.6)
    fitness = measured(embedding)
    # Half of the cells' inner pixels, which are as many in both.
    assert fitness.undecided == pytest.approx(0.5)
    assert reasons(fitness) == ["undecided"]
    (sentence,) = doubts_about_fitness(fitness)
    assert sentence == (
        "Do not trust this result: the network does not seem to suit the images, for many pixels look "
        "neither like background nor like cells to it."
    )


def test_pixels_unlike_the_background_far_from_all_cells_are_strays():
    embedding = drawn()
    embedding[14:18, 1:7] = SECOND
    fitness = measured(embedding)
    assert fitness.strays == pytest.approx(24 / 96) and fitness.spread == pytest.approx(0, abs=1e-6)
    assert reasons(fitness) == ["strays"]
    beside = drawn()
    beside[:, :] = np.where((np.indices((20, 24))[0] == 9)[..., None], FIRST, beside)
    assert measured(beside).strays < 24 / 96


def test_cells_of_mixed_embeddings_are_spread():
    embedding = drawn()
    embedding[3:9, 3:7] = SECOND
    fitness = measured(embedding)
    # Of the 24 inner pixels of the first cell 12 are of each kind: their mean has the length sqrt(1 / 2).
    assert fitness.spread == pytest.approx((1 - np.sqrt(0.5)) / 2)
    assert reasons(fitness) == ["spread"]


def test_the_background_is_found_where_cells_cover_most_of_the_frame():
    labels = np.ones((2, 20, 24), np.uint16)
    labels[:, :4] = 0
    labels[:, 12:] = 2
    fitness = measure_fitness({1: drawn(labels[0])}, labels)
    np.testing.assert_allclose(fitness, (0, 0, 0), atol=1e-6)


def test_a_frame_without_cells_and_one_without_background_have_measures():
    empty = np.zeros_like(LABELS)
    np.testing.assert_allclose(measure_fitness({1: drawn(empty[0])}, empty), (0, 0, 0), atol=1e-6)
    full = np.ones_like(LABELS)
    np.testing.assert_allclose(measure_fitness({1: drawn(full[0])}, full), (0, 0, 0), atol=1e-6)
    assert measure_fitness({1: drawn()}, empty).strays > 1


def test_the_first_frame_counts_only_if_it_is_alone():
    odd = np.random.default_rng(0).normal(size=(20, 24, 3)).astype(np.float32)
    odd /= np.linalg.norm(odd, axis=-1, keepdims=True)
    alone = measure_fitness({0: odd}, LABELS)
    assert reasons(alone) == ["undecided", "strays", "spread"]
    assert measure_fitness({0: odd, 2: drawn()}, LABELS) == measure_fitness({2: drawn()}, LABELS)
    both = measure_fitness({1: odd, 2: drawn()}, LABELS)
    np.testing.assert_allclose(both, np.mean([alone, measured(drawn())], axis=0))


@pytest.mark.parametrize("seed", range(4))
def test_measures_equal_those_of_loops_over_pixels(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, (4, 5), endpoint=True).repeat(4, axis=0).repeat(4, axis=1)
    centres = generator.normal(size=(4, 5))
    embedding = centres[labels] + generator.normal(0, 0.4, (*labels.shape, 5))
    embedding = (embedding / np.linalg.norm(embedding, axis=-1, keepdims=True)).astype(np.float32)

    height, width = labels.shape
    background = np.array([np.median(embedding[..., channel][labels == 0]) for channel in range(5)])
    clear = undecided = strays = 0
    pixels: dict[int, list[np.ndarray]] = {}
    for row, column in np.ndindex(height, width):

        def alike(reach, row=row, column=column):
            square = labels[
                max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
            ]
            return (square == labels[row, column]).all()

        vector = embedding[row, column].astype(np.float64)
        cosine = abs(vector @ background) / np.linalg.norm(background)
        if cosine < 0.8 and alike(1):
            clear += 1
            undecided += cosine > 0.3
        strays += cosine < 0.8 and labels[row, column] == 0 and alike(3)
        if labels[row, column] and alike(1):
            pixels.setdefault(int(labels[row, column]), []).append(vector)
    lengths = sum(np.linalg.norm(np.sum(vectors, axis=0)) for vectors in pixels.values())
    count = sum(len(vectors) for vectors in pixels.values())
    found = measure_fitness({0: embedding}, labels[None].astype(np.uint16))
    np.testing.assert_allclose(
        found, (undecided / clear, strays / (labels > 0).sum(), 1 - lengths / count), rtol=1e-5
    )
