"""The network: sizes, streaming, parameter counts, the link between its hourglasses."""

from time import process_time

import numpy as np
import pytest
import tensorflow as tf

from cosembed.inference.stepper import FrameStepper
from cosembed.models import StackedHourglass


def randomised(model: StackedHourglass, channels: int = 1, seed: int = 0) -> StackedHourglass:
    model.build([None, None, None, None, channels])
    generator = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(generator.normal(0, 0.25, variable.shape))
    return model


@pytest.mark.parametrize(
    ("arguments", "channels", "parameters"),
    [
        ({"outputs": 16}, 1, 4_088_352),
        ({"outputs": 16, "recurrent": False}, 1, 1_506_080),
        ({"outputs": 32, "recurrent": False}, 1, 1_533_760),
        ({"outputs": 32, "recurrent": False}, 3, 1_536_064),
        ({"outputs": 16, "variant": "mia2019"}, 1, 4_136_608),
    ],
)
def test_the_papers_networks_have_as_many_parameters_as_stated(arguments, channels, parameters):
    model = StackedHourglass(filters=64, levels=7, **arguments)
    model.build([None, None, None, None, channels])
    assert model.count_params() == parameters
    assert all(variable.trainable for variable in model.weights)


def test_building_creates_the_weights_without_computing_the_network(monkeypatch):
    def computed(self, inputs):
        raise AssertionError("the network was computed")

    monkeypatch.setattr(StackedHourglass, "call", computed)
    model = StackedHourglass(filters=2, levels=2, outputs=2)
    model.build([None, None, None, None, 1])
    assert model.built and len(model.weights) == 2 * (2 * 2 * 5 + 2)


def test_kernels_of_the_papers_network_hold_as_many_weights_as_the_released_ones():
    model = StackedHourglass()
    model.build([None, None, None, None, 1])
    kernels = [variable for variable in model.trainable_variables if "kernel" in variable.name]
    assert len(kernels) == 72
    assert sum(int(tf.size(kernel)) for kernel in kernels) == 4_083_840


@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize(("levels", "size"), [(1, (5, 7)), (3, (12, 8))])
def test_streaming_equals_the_sequence(recurrent, levels, size):
    model = randomised(StackedHourglass(filters=3, levels=levels, outputs=4, recurrent=recurrent), channels=2)
    images = tf.random.stateless_normal([2, 4, *size, 2], seed=[1, 2])
    first, second = model(images)
    assert first.shape == second.shape == [2, 4, *size, 4]
    states = None
    for time in range(4):
        (one, two), states = model.step(images[:, time], states)
        np.testing.assert_allclose(one, first[:, time], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(two, second[:, time], rtol=1e-4, atol=1e-5)
    assert [len(level_states) for level_states in states] == ([levels] * 2 if recurrent else [0, 0])


def test_only_the_recurrent_network_remembers():
    for recurrent in (True, False):
        model = randomised(StackedHourglass(filters=3, levels=2, outputs=2, recurrent=recurrent))
        images = tf.random.stateless_normal([1, 3, 8, 8, 1], seed=[3, 4])
        alone = model(images[:, 2:])[1][:, 0]
        after = model(images)[1][:, 2]
        assert np.allclose(alone, after, atol=1e-5) != recurrent


def test_the_second_hourglass_sees_image_and_unit_length_embedding():
    model = randomised(StackedHourglass(filters=2, levels=1, outputs=3, recurrent=False))
    images = tf.random.stateless_normal([1, 1, 4, 4, 1], seed=[5, 6])
    first, second = model(images)
    unit = first / np.linalg.norm(first, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        second, model.hourglasses[1](tf.concat([images, unit], axis=-1)), rtol=1e-4, atol=1e-5
    )


def test_seeds_decide_the_weights_and_no_two_kernels_are_equal():
    models = [StackedHourglass(filters=4, levels=2, outputs=4, seed=seed) for seed in (1, 1, 2)]
    for model in models:
        model.build([None, None, None, None, 1])
    weights = [[variable.numpy() for variable in model.trainable_variables] for model in models]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    drawn = [kernel for kernel in weights[0] + weights[2] if kernel.ndim == 4 and kernel.any()]
    for index, kernel in enumerate(drawn):
        assert not any(
            kernel.shape == other.shape and np.array_equal(kernel, other) for other in drawn[:index]
        )


def test_one_trace_serves_every_length_and_size():
    model = randomised(StackedHourglass(filters=2, levels=2, outputs=2))
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None, 1])])
    def call(images):
        traces.append(1)
        return model(images)

    for shape in ([1, 2, 8, 8, 1], [2, 5, 4, 6, 1]):
        images = tf.random.stateless_normal(shape, seed=[7, 8])
        np.testing.assert_allclose(call(images)[1], model(images)[1], rtol=1e-4, atol=1e-5)
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("policy", "compute"), [("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16")]
)
@pytest.mark.parametrize("everywhere", [True, False])
def test_mixed_precision_gives_float32_embeddings_and_gradients(policy, compute, everywhere):
    images = tf.random.stateless_normal([1, 2, 8, 8, 1], seed=[9, 9])
    tf.keras.mixed_precision.set_global_policy(policy if everywhere else "float32")
    try:
        model = StackedHourglass(filters=2, levels=2, outputs=2, **({} if everywhere else {"dtype": policy}))
        with tf.GradientTape() as tape:
            first, second = model(images)
            loss = tf.reduce_sum(first**2) + tf.reduce_sum(second**2)
        for hourglass in model.hourglasses:
            assert {
                layer.compute_dtype for layer in (hourglass, *hourglass.contracting, *hourglass.parallel)
            } == {compute}
        (streamed, _), states = model.step(images[:, 0])
        assert states[0][0].dtype == compute
        np.testing.assert_allclose(streamed, first[:, 0], atol=0.02)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert first.dtype == second.dtype == streamed.dtype == tf.float32
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and gradient.dtype == tf.float32 for gradient in gradients)


def test_sizes_that_do_not_fit_the_levels_are_refused():
    model = StackedHourglass(filters=2, levels=3, outputs=2)
    with pytest.raises(ValueError, match="divisible by 4"):
        model(tf.zeros([1, 1, 8, 10, 1]))
    with pytest.raises(ValueError, match="divisible by 4"):
        model.step(tf.zeros([1, 6, 8, 1]))
    with pytest.raises(ValueError, match="levels"):
        StackedHourglass(levels=0)
    with pytest.raises(ValueError, match="variant"):
        StackedHourglass(variant="2020")


def test_frames_of_another_form_than_at_first_are_refused():
    model = StackedHourglass(filters=2, levels=2, outputs=2)
    model.build([None, None, None, None, 1])
    with pytest.raises(ValueError, match="axis -1"):
        model(tf.zeros([1, 1, 8, 8, 2]))
    with pytest.raises(ValueError, match=r"C = 1\. Received"):
        model.step(tf.zeros([1, 8, 8, 2]))
    with pytest.raises(ValueError, match=r"C = 1\. Received"):
        model.step(tf.zeros([8, 8, 1]))


def test_recomputing_gives_the_same_outputs_and_gradients():
    images = tf.random.stateless_normal([1, 3, 8, 8, 1], seed=[1, 5])

    @tf.function
    def gradients(model):
        with tf.GradientTape() as tape:
            outputs = model(images)
            value = tf.add_n([tf.reduce_sum(output**2) for output in outputs])
        return value, tape.gradient(value, model.trainable_variables)

    models = [StackedHourglass(4, 2, 3, recompute=recompute) for recompute in (False, True)]
    for model in models:
        model.build([None, None, None, None, 1])
    kept, recomputed = map(gradients, models)
    np.testing.assert_allclose(recomputed[0], kept[0], rtol=1e-6)
    for ours, expected in zip(recomputed[1], kept[1], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", ["miccai2018", "mia2019"])
def test_gates_start_at_zero_and_in_the_follow_up_at_random(variant):
    model = StackedHourglass(filters=16, levels=2, outputs=3, variant=variant)
    model.build([None, None, None, None, 1])
    layers = [layer for hourglass in model.hourglasses for layer in hourglass.parallel]
    kernels = [kernel.numpy() for layer in layers for kernel in (layer.reset_kernel, layer.update_kernel)]
    if variant == "miccai2018":
        assert not any(kernel.any() for kernel in kernels)
        return
    for kernel in kernels:
        # A normal cut at two standard deviations keeps 0.8796 of its standard deviation.
        assert kernel.std() == pytest.approx(0.8796 * np.sqrt(1 / (9 * 32)), rel=0.05)
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


def test_config_round_trips():
    arguments = {
        "filters": 5,
        "levels": 2,
        "outputs": 3,
        "recurrent": False,
        "seed": 9,
        "variant": "mia2019",
        "recompute": True,
        "for_xla": True,
    }
    model = StackedHourglass(**arguments, name="network", dtype="mixed_bfloat16")
    again = StackedHourglass.from_config(model.get_config())
    assert (
        again.get_config()
        == model.get_config()
        == {"name": "network", "dtype": "mixed_bfloat16", **arguments}
    )
    assert again.hourglasses[1].compute_dtype == "bfloat16"


@pytest.mark.parametrize("recurrent", [True, False])
def test_one_trace_serves_all_frames_of_all_videos_of_a_size(recurrent):
    model = StackedHourglass(filters=3, levels=2, outputs=2, recurrent=recurrent)
    model.build([None, None, None, None, 1])
    stepper = FrameStepper(model)
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    found = np.stack(list(stepper(images)))
    expected = tf.math.l2_normalize(model(images[None])[1][0], axis=-1, epsilon=1e-12)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(list(stepper(images)), found)
    assert stepper._step.experimental_get_tracing_count() == 1


def test_the_first_frame_of_the_papers_network_is_not_held_up_by_its_trace():
    model = StackedHourglass()
    model.build([None, None, None, None, 1])
    frames = FrameStepper(model)(np.zeros([2, 64, 64, 1], np.float32))
    # The processor's time, so that other work on the machine does not count.
    seconds = []
    for _ in range(2):
        begin = process_time()
        next(frames)
        seconds.append(process_time() - begin)
    assert seconds[0] - seconds[1] < 3
