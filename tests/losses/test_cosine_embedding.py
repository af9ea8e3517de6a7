"""The loss and its gradient are those of plain numpy loops in float64, in every edge case."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from cosembed.losses import cosine_embedding_loss, count_elements, embedding_loss


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.linalg.norm(vector), 1e-6)


def numpy_loss(embeddings: np.ndarray, instances: np.ndarray, power: int = 1) -> float:
    elements = []
    for embedding, masks in zip(embeddings.astype(np.float64), instances, strict=True):
        per_instance = []
        for i in range(masks.shape[-1]):
            own = embedding[masks[..., i] == 1]
            neighbours = embedding[masks[..., i] == 2]
            if not len(own):
                continue
            mean = unit(own.mean(axis=0))
            first = 1 - np.mean([(mean @ unit(pixel)) ** power for pixel in own])
            second = np.mean([(mean @ unit(pixel)) ** 2 for pixel in neighbours]) if len(neighbours) else 0.0
            per_instance.append(first + second)
        if per_instance:
            elements.append(np.mean(per_instance))
    return float(np.mean(elements)) if elements else 0.0


def numpy_follow_up(embeddings: np.ndarray, instances: np.ndarray, background: np.ndarray) -> float:
    """The follow-up's loss: squared own cosines, and the background's embedding fixed at (1, 0, ..., 0)."""
    elements = []
    for embedding, masks in zip(embeddings.astype(np.float64), background[..., 0], strict=True):
        own, foreground = ([unit(pixel)[0] ** 2 for pixel in embedding[masks == code]] for code in (1, 2))
        if own or foreground:
            elements.append((1 - np.mean(own) if own else 0) + (np.mean(foreground) if foreground else 0))
    return numpy_loss(embeddings, instances, power=2) + (float(np.mean(elements)) if elements else 0.0)


def random_case(seed, batch=2, frames=3, side=6, dimensions=4, instances=5):
    generator = np.random.default_rng(seed)
    embeddings = generator.normal(0, 1, (batch, frames, side, side, dimensions)).astype(np.float32)
    masks = generator.choice(3, (batch, frames, side, side, instances), p=[0.6, 0.2, 0.2]).astype(np.uint8)
    return embeddings, masks


CASES = {
    "sequence": lambda e, m: (e, m),
    "still image": lambda e, m: (e[:, :1], m[:, :1]),
    "absent instance": lambda e, m: (e, np.where(np.arange(m.shape[-1]) == 1, np.where(m == 1, 0, m), m)),
    "no neighbours": lambda e, m: (e, np.where(m == 2, 0, m)),
    "an instance fills the frame": lambda e, m: (e, np.concatenate([m, np.ones_like(m[..., :1])], axis=-1)),
    "one pixel": lambda e, m: (
        e,
        np.pad(
            np.ones_like(m[:, :1, :1, :1, :1]),
            [(0, 0), (0, m.shape[1] - 1), (0, m.shape[2] - 1), (0, m.shape[3] - 1), (0, 0)],
        ),
    ),
    "an element without instances": lambda e, m: (
        e,
        m * np.array([1, 0], np.uint8)[:, None, None, None, None],
    ),
    "nothing at all": lambda e, m: (e, m * 0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("graph", [False, True])
def test_the_loss_is_that_of_numpy_loops(case, graph):
    embeddings, masks = CASES[case](*random_case(1))
    loss = tf.function(cosine_embedding_loss) if graph else cosine_embedding_loss
    assert float(loss(tf.constant(embeddings), tf.constant(masks))) == pytest.approx(
        numpy_loss(embeddings, masks), abs=1e-6
    )


def numpy_gradient(embeddings: np.ndarray, loss: Callable[[np.ndarray], float]) -> np.ndarray:
    """Central differences in float64, every value by itself."""
    point = embeddings.astype(np.float64)
    gradient = np.zeros_like(point)
    for index in np.ndindex(*point.shape):
        step = np.zeros_like(point)
        step[index] = 1e-5
        gradient[index] = (loss(point + step) - loss(point - step)) / 2e-5
    return gradient


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_central_differences(case):
    embeddings, masks = CASES[case](*random_case(2, frames=2, side=4, dimensions=3, instances=3))
    variable = tf.constant(embeddings)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = cosine_embedding_loss(variable, tf.constant(masks))
    np.testing.assert_allclose(
        tape.gradient(value, variable),
        numpy_gradient(embeddings, lambda point: numpy_loss(point, masks)),
        rtol=0,
        atol=1e-6,
    )


def follow_up_loss(embeddings, masks, background, elements=None):
    return embedding_loss([embeddings], masks, background, "fixed_term", elements, "squared_cosine")


# What the background's mask has: both sides, no foreground, no background, neither.
BACKGROUNDS = {"both": [1, 2], "no foreground": [1], "no background": [2], "neither": [0]}


@pytest.mark.parametrize("kept", BACKGROUNDS)
@pytest.mark.parametrize(
    "case", ["sequence", "no neighbours", "an element without instances", "nothing at all"]
)
def test_loss_and_gradient_of_the_follow_up_are_those_of_numpy_loops(case, kept):
    embeddings, masks = CASES[case](*random_case(12, frames=2, side=4, dimensions=3, instances=3))
    _, background = random_case(13, frames=2, side=4, instances=1)
    background[0] = np.where(np.isin(background[0], BACKGROUNDS[kept]), background[0], 0)
    expected = numpy_gradient(embeddings, lambda point: numpy_follow_up(point, masks, background))

    def value_and_gradient(variable, masks, background):
        with tf.GradientTape() as tape:
            tape.watch(variable)
            value = follow_up_loss(variable, masks, background)
        return value, tape.gradient(value, variable)

    # Compiled by XLA, which takes seconds, in one of the cases.
    for jit_compile in [False, True] if (case, kept) == ("sequence", "both") else [False]:
        compute = tf.function(value_and_gradient, jit_compile=jit_compile)
        value, gradient = compute(tf.constant(embeddings), masks, background)
        assert float(value) == pytest.approx(numpy_follow_up(embeddings, masks, background), abs=2e-6)
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=2e-6)


def test_opposite_signs_within_an_instance_cost_the_follow_up_nothing():
    embeddings, masks = np.zeros((1, 1, 2, 4, 3), np.float32), np.zeros((1, 1, 2, 4, 1), np.uint8)
    embeddings[..., 1], masks[:] = [3, -1, 3, -1], 1
    assert float(follow_up_loss(tf.constant(embeddings), masks, masks * 0)) == pytest.approx(0, abs=1e-6)
    assert float(cosine_embedding_loss(embeddings, masks)) == pytest.approx(1, abs=1e-6)


def test_ideal_embeddings_have_no_loss_and_equal_ones_have_one_per_instance_with_neighbours():
    labels = np.array([[1, 1, 2, 2]])
    masks = np.stack([np.where(labels == own, 1, 2) for own in (1, 2)], axis=-1)[None, None]
    orthogonal = np.eye(2, dtype=np.float32)[labels - 1][None, None]
    assert float(cosine_embedding_loss(orthogonal, masks)) == pytest.approx(0, abs=1e-6)
    same = np.ones_like(orthogonal)
    assert float(cosine_embedding_loss(same, masks)) == pytest.approx(1, abs=1e-6)
    opposite = orthogonal[..., :1] - orthogonal[..., 1:]
    assert float(cosine_embedding_loss(opposite, masks)) == pytest.approx(1, abs=1e-6)


def test_length_of_embeddings_matters_only_to_the_mean():
    embeddings, masks = random_case(4)
    assert float(cosine_embedding_loss(7 * embeddings, masks)) == pytest.approx(
        numpy_loss(embeddings, masks), abs=1e-6
    )
    uneven = embeddings * np.random.default_rng(5).uniform(0.1, 10, (*embeddings.shape[:-1], 1)).astype(
        np.float32
    )
    assert float(cosine_embedding_loss(uneven, masks)) == pytest.approx(numpy_loss(uneven, masks), abs=1e-6)


def test_embeddings_of_zero_give_no_nan():
    _, masks = random_case(6)
    zero = tf.zeros([2, 3, 6, 6, 4])
    with tf.GradientTape() as tape:
        tape.watch(zero)
        value = cosine_embedding_loss(zero, masks)
    assert np.isfinite(float(value))
    assert np.isfinite(tape.gradient(value, zero).numpy()).all()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_embeddings_are_computed_with_in_float32(dtype):
    embeddings, masks = random_case(7)
    half = tf.cast(embeddings, dtype)
    value = cosine_embedding_loss(half, masks)
    assert value.dtype == tf.float32
    assert float(value) == pytest.approx(numpy_loss(tf.cast(half, tf.float32).numpy(), masks), abs=1e-6)


def test_background_as_one_more_instance_or_as_its_own_term():
    embeddings, masks = random_case(8)
    other, background = random_case(9, instances=1)
    outputs = [tf.constant(embeddings), tf.constant(other)]
    joined = np.concatenate([masks, background], axis=-1)
    expected = numpy_loss(embeddings, joined) + numpy_loss(other, joined)
    assert float(embedding_loss(outputs, masks, background, "instance")) == pytest.approx(expected, abs=2e-6)
    expected = sum(numpy_loss(e, m) for e in (embeddings, other) for m in (masks, background))
    assert float(embedding_loss(outputs, masks, background, "term")) == pytest.approx(expected, abs=2e-6)


def test_the_follow_ups_losses_of_unequal_shares_add_up_to_that_of_the_batch():
    embeddings, masks = random_case(14, batch=4)
    _, background = random_case(15, batch=4, instances=1)
    # Clip 0 has no instance and only foreground, clip 1 only background, and clip 3 no background term.
    masks[0], background[3] = 0, 0
    background[0], background[1] = 2 * (background[0] == 2), background[1] == 1
    shares = [slice(0, 1), slice(1, 3), slice(3, 4)]
    elements = sum(count_elements(masks[share], background[share], "fixed_term") for share in shares)
    np.testing.assert_array_equal(elements, [3, 3])
    losses = [
        float(follow_up_loss(tf.constant(embeddings[share]), masks[share], background[share], elements))
        for share in shares
    ]
    assert sum(losses) == pytest.approx(numpy_follow_up(embeddings, masks, background), abs=4e-6)


@pytest.mark.parametrize("mode", ["instance", "term"])
def test_the_losses_of_unequal_shares_add_up_to_that_of_the_batch(mode):
    embeddings, masks = random_case(10, batch=4)
    other, background = random_case(11, batch=4, instances=1)
    # Clip 0 has no instance, clip 1 no background, and clip 3 neither.
    masks[[0, 3]], background[[1, 3]] = 0, 0
    outputs = [embeddings, other]
    shares = [slice(0, 1), slice(1, 3), slice(3, 4)]
    elements = sum(count_elements(masks[share], background[share], mode) for share in shares)
    np.testing.assert_array_equal(elements, [3] if mode == "instance" else [2, 2])
    losses = [
        float(
            embedding_loss(
                [tf.constant(output[share]) for output in outputs],
                masks[share],
                background[share],
                mode,
                elements,
            )
        )
        for share in shares
    ]
    joined = np.concatenate([masks, background], axis=-1)
    terms = [joined] if mode == "instance" else [masks, background]
    expected = sum(numpy_loss(output, term) for output in outputs for term in terms)
    assert sum(losses) == pytest.approx(expected, abs=4e-6)


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="Received shapes"):
        cosine_embedding_loss(tf.zeros([1, 4, 4, 2]), tf.zeros([1, 4, 4, 2], tf.uint8))
    with pytest.raises(ValueError, match="Received shapes"):
        cosine_embedding_loss(tf.zeros([1, 2, 4, 4, 2]), tf.zeros([1, 3, 4, 4, 2], tf.uint8))


@pytest.mark.parametrize("mode", ["instance", "term"])
def test_the_training_loss_refuses_shapes_that_do_not_belong_together(mode):
    output, instances = tf.zeros([1, 2, 4, 4, 3]), np.zeros([1, 2, 4, 4, 5], np.uint8)
    with pytest.raises(
        ValueError, match=r"instances \[B, T, H, W, I\] .* \(1, 2, 4, 4, 3\) and \(2, 4, 4, 5\)"
    ):
        embedding_loss([output, output], instances[0], instances[..., :1], mode)
    with pytest.raises(
        ValueError, match=r"background \[B, T, H, W, I\] .* \(1, 2, 4, 4, 3\) and \(1, 2, 4, 4\)"
    ):
        embedding_loss([output, output], instances, instances[..., 0], mode)
    with pytest.raises(ValueError, match=r"\(1, 4, 4, 3\) and \(1, 2, 4, 4, 5\)"):
        embedding_loss([output, output[:, 0]], instances, instances[..., :1], mode)
