"""ConvGRU2D is Keras' GRU on 1x1 images and plain numpy on images; so are its gradients."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from cosembed.layers import ConvGRU2D, HeTruncatedNormal, run_together


def randomised(layer: ConvGRU2D, channels: int, seed: int = 0) -> ConvGRU2D:
    layer.build([None, None, None, None, channels])
    generator = np.random.default_rng(seed)
    layer.set_weights([generator.normal(0, 0.4, w.shape).astype(np.float32) for w in layer.get_weights()])
    return layer


def numpy_gru(layer: ConvGRU2D, inputs: np.ndarray, state: np.ndarray) -> np.ndarray:
    def convolve(image, kernel, bias):
        channels, filters = kernel.shape[2:]
        return np.stack(
            [
                bias[f]
                + sum(correlate2d(image[..., c], kernel[:, :, c, f], mode="same") for c in range(channels))
                for f in range(filters)
            ],
            axis=-1,
        )

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    names = [f"{gate}_{part}" for gate in ("reset", "update", "candidate") for part in ("kernel", "bias")]
    weights = {name: getattr(layer, name).numpy().astype(np.float64) for name in names}
    outputs = []
    for frame in inputs.astype(np.float64):
        both = np.concatenate([frame, state], axis=-1)
        r = sigmoid(convolve(both, weights["reset_kernel"], weights["reset_bias"]))
        u = sigmoid(convolve(both, weights["update_kernel"], weights["update_bias"]))
        y = np.maximum(
            convolve(
                np.concatenate([frame, r * state], axis=-1),
                weights["candidate_kernel"],
                weights["candidate_bias"],
            ),
            0,
        )
        state = u * state + (1 - u) * y
        outputs.append(state)
    return np.stack(outputs)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_on_single_pixels_the_layer_is_keras_gru(activation):
    channels, units = 3, 5
    layer = ConvGRU2D(units, activation=activation)
    layer.build([None, None, None, None, channels])
    generator = np.random.default_rng(1)
    gates = {
        name: generator.normal(0, 0.5, (channels + units, units)).astype(np.float32)
        for name in ("reset", "update", "candidate")
    }
    biases = {name: generator.normal(0, 0.5, units).astype(np.float32) for name in gates}
    for name, matrix in gates.items():
        kernel = np.zeros((3, 3, channels + units, units), np.float32)
        kernel[1, 1] = matrix
        getattr(layer, f"{name}_kernel").assign(kernel)
        getattr(layer, f"{name}_bias").assign(biases[name])
    keras = tf.keras.layers.GRU(units, activation=activation, return_sequences=True, reset_after=False)
    keras.build((None, None, channels))
    order = ("update", "reset", "candidate")
    keras.set_weights(
        [
            np.concatenate([gates[name][:channels] for name in order], axis=1),
            np.concatenate([gates[name][channels:] for name in order], axis=1),
            np.concatenate([biases[name] for name in order]),
        ]
    )
    inputs = generator.normal(0, 1, (2, 6, channels)).astype(np.float32)
    expected = keras(inputs).numpy()
    result = layer(inputs[:, :, None, None, :]).numpy()[:, :, 0, 0]
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("graph", [False, True])
def test_on_images_the_layer_is_that_of_numpy_with_and_without_initial_state(graph):
    layer = randomised(ConvGRU2D(2, return_state=True), channels=3)
    generator = np.random.default_rng(2)
    inputs = generator.normal(0, 1, (1, 4, 5, 7, 3)).astype(np.float32)
    initial = generator.normal(0, 1, (1, 5, 7, 2)).astype(np.float32)
    call = tf.function(layer) if graph else layer
    for state, start in ((None, np.zeros((5, 7, 2))), (initial, initial[0])):
        outputs, last = call(tf.constant(inputs), initial_state=state)
        expected = numpy_gru(layer, inputs[0], start)
        np.testing.assert_allclose(outputs[0], expected, atol=2e-6)
        np.testing.assert_array_equal(last, outputs[:, -1])


def test_step_by_step_equals_the_sequence():
    layer = randomised(ConvGRU2D(3), channels=2)
    inputs = tf.random.stateless_normal([2, 5, 6, 4, 2], seed=[1, 2])
    state = tf.zeros([2, 6, 4, 3])
    sequence = layer(inputs)
    for time in range(5):
        state = layer.step(inputs[:, time], state)
        np.testing.assert_allclose(state, sequence[:, time], atol=1e-6)


def test_one_trace_serves_every_batch_length_and_size():
    layer = randomised(ConvGRU2D(2), channels=1)
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None, 1])])
    def call(inputs):
        traces.append(1)
        return layer(inputs)

    for shape in ([1, 1, 4, 4, 1], [2, 7, 3, 5, 1], [1, 3, 8, 2, 1]):
        inputs = tf.random.stateless_normal(shape, seed=[3, 4])
        outputs = call(inputs)
        assert outputs.shape == [*shape[:-1], 2]
        np.testing.assert_allclose(outputs, layer(inputs), atol=1e-6)
    assert len(traces) == 1


def test_gradients_equal_finite_differences():
    layer = randomised(ConvGRU2D(2), channels=1)
    inputs = tf.random.stateless_normal([1, 3, 3, 3, 1], seed=[5, 6])
    target = tf.random.stateless_normal([1, 3, 3, 3, 2], seed=[7, 8])

    def loss():
        return tf.reduce_sum(tf.cast(layer(inputs) * target, tf.float64))

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, layer.trainable_variables)
    generator = np.random.default_rng(3)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        for _ in range(3):
            index = tuple(generator.integers(side) for side in variable.shape)
            original = variable.numpy()
            step = np.zeros_like(original)
            step[index] = 1e-2
            variable.assign(original + step)
            above = loss()
            variable.assign(original - step)
            below = loss()
            variable.assign(original)
            np.testing.assert_allclose(gradient.numpy()[index], (above - below) / 2e-2, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(("length", "with_state"), [(1, False), (1, True), (4, False), (4, True)])
def test_gradients_equal_those_of_single_steps(length, with_state, activation, graph):
    """The layer's own gradient of the time loop against TensorFlow's of the same steps, in float64."""
    layer = randomised(ConvGRU2D(3, activation=activation, dtype="float64"), 2)
    inputs, weights = (
        tf.random.normal([2, length, 5, 4, 2], dtype="float64"),
        tf.random.normal([length, 1, 1, 1, 3], dtype="float64"),
    )
    state = tf.random.normal([2, 5, 4, 3], dtype="float64")

    def gradients(whole):
        watched = [inputs, state] if with_state else [inputs]
        with tf.GradientTape() as tape:
            # Weights are watched anyway, and Keras 3 wraps its variables in a class that `watch` refuses.
            tape.watch(watched)
            if whole:
                outputs = tf.transpose(layer(inputs, state if with_state else None), [1, 0, 2, 3, 4])
            else:
                current, steps = state if with_state else tf.zeros_like(state), []
                for time in range(length):
                    current = layer.step(inputs[:, time], current)
                    steps.append(current)
                outputs = tf.stack(steps)
            value = tf.reduce_sum(weights * outputs**2)
        return tape.gradient(value, [*watched, *layer.trainable_variables])

    found = (tf.function(gradients) if graph else gradients)(True)
    for ours, expected in zip(found, gradients(False), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-10)


def test_outputs_have_the_forms_that_are_asked_for():
    inputs = tf.ones([2, 3, 4, 4, 1])
    assert ConvGRU2D(5)(inputs).shape == [2, 3, 4, 4, 5]
    assert ConvGRU2D(5, return_sequences=False)(inputs).shape == [2, 4, 4, 5]
    outputs, state = ConvGRU2D(5, return_state=True)(inputs)
    assert outputs.shape == [2, 3, 4, 4, 5]
    assert state.shape == [2, 4, 4, 5]


def test_gates_start_at_one_half_and_kernels_differ():
    layer = ConvGRU2D(8, candidate_initializer=HeTruncatedNormal(1))
    layer.build([None, None, None, None, 8])
    assert not layer.reset_kernel.numpy().any()
    assert not layer.update_kernel.numpy().any()
    kernel = layer.candidate_kernel.numpy()
    # A normal cut at two standard deviations keeps 0.8796 of its standard deviation.
    assert kernel.std() == pytest.approx(0.8796 * np.sqrt(2 / (9 * 16)), rel=0.05)
    other = ConvGRU2D(8, candidate_initializer=HeTruncatedNormal(2))
    other.build([None, None, None, None, 8])
    assert not np.array_equal(kernel, other.candidate_kernel.numpy())


def test_default_layers_start_with_different_kernels_that_the_global_seed_decides():
    def kernels():
        tf.random.set_seed(5)
        layers = [ConvGRU2D(4), ConvGRU2D(4)]
        for layer in layers:
            layer.build([None, None, None, None, 2])
        return [layer.candidate_kernel.numpy() for layer in layers]

    first, second = kernels()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(kernels(), [first, second])


def test_config_round_trips():
    layer = ConvGRU2D(
        4,
        5,
        activation="tanh",
        return_sequences=False,
        return_state=True,
        candidate_initializer=HeTruncatedNormal(7),
        update_initializer=HeTruncatedNormal(7, scale=1.0, stream=2),
        name="gru",
    )
    again = ConvGRU2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.filters, again.kernel_size, again.return_state, again.name) == (4, 5, True, "gru")
    assert again.candidate_initializer.seed == 7
    drawn = again.update_initializer
    assert (drawn.seed, drawn.scale, drawn.stream) == (7, 1.0, 2)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_in_half_and_stores_in_full(policy):
    layer = ConvGRU2D(2, dtype=tf.keras.mixed_precision.Policy(policy), return_state=True)
    inputs = tf.random.stateless_normal([1, 3, 4, 4, 2], seed=[1, 1])
    outputs, state = layer(inputs)
    assert outputs.dtype == state.dtype == layer.compute_dtype
    assert all(variable.dtype == tf.float32 for variable in layer.trainable_variables)
    full = ConvGRU2D(2)
    full.build(inputs.shape)
    full.set_weights(layer.get_weights())
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), full(inputs), atol=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters.*Received: 0"),
        ({"filters": 2.5}, "Received: 2.5"),
        ({"filters": 2, "kernel_size": 4}, "odd.*Received: 4"),
    ],
)
def test_bad_arguments_say_what_was_received(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvGRU2D(**arguments)


def test_images_without_time_are_refused():
    with pytest.raises(ValueError, match=r"\[B, T, H, W, C\]"):
        ConvGRU2D(2)(tf.zeros([1, 4, 4, 1]))


def test_another_number_of_channels_is_refused():
    layer = randomised(ConvGRU2D(2), channels=1)
    with pytest.raises(ValueError, match="axis -1"):
        layer(tf.zeros([1, 2, 4, 4, 2]))


def test_streaming_may_be_the_first_use():
    layer = ConvGRU2D(2)
    state = layer.step(tf.ones([1, 4, 4, 3]), tf.zeros([1, 4, 4, 2]))
    np.testing.assert_allclose(state, layer(tf.ones([1, 1, 4, 4, 3]))[:, 0], atol=1e-6)


@pytest.mark.parametrize("compiled", [None, True])
def test_layers_that_share_a_loop_give_what_each_gives_alone_with_the_same_gradients(compiled):
    layers = [randomised(ConvGRU2D(filters), channels=2, seed=filters) for filters in (2, 3)]
    inputs = [tf.random.stateless_normal([2, 4, side, side, 2], seed=[side, 0]) for side in (6, 3)]
    weights = [weight for layer in layers for weight in layer.trainable_variables]

    def alone(clips):
        return [layer(clip) for layer, clip in zip(layers, clips, strict=True)]

    def both(run, jit_compile=None):
        @tf.function(jit_compile=jit_compile)
        def outputs_and_gradients(clips):
            with tf.GradientTape() as tape:
                tape.watch(clips)
                outputs = run(clips)
                loss = tf.add_n([tf.reduce_sum(tf.sin(output)) for output in outputs])
            return outputs, tape.gradient(loss, [*clips, *weights])

        return tf.nest.flatten(outputs_and_gradients(inputs))

    together = both(lambda clips: run_together(layers, clips), compiled)
    for ours, expected in zip(together, both(alone), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=2e-5)
