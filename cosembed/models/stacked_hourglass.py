"""Builds the recurrent stacked hourglass network (paper section 2.1). Knows no data and no training."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cosembed.models.hourglass import Hourglass

HOURGLASSES = 2
# The least squared length of an embedding in the link between the hourglasses, by variant.
NORM_EPSILON = {"miccai2018": 1e-12, "mia2019": 1e-4}
States = list[list[tf.Tensor]]


@tf.keras.utils.register_keras_serializable("cosembed")
class StackedHourglass(tf.keras.Model):
    """Computes embeddings by two hourglasses, the second of which sees the image and the first one's output.

    The output of the first is L2-normalised for that, as in the released graphs.

    Args:
        filters: Channels of every inner convolution and state.
        levels: Resolutions of a hourglass; height and width must be divisible by 2^(levels - 1).
        outputs: Embedding dimensions D.
        recurrent: Whether ConvGRU layers lie between the contracting and the expanding path; otherwise
            convolutions do.
        seed: The seed of the first weights; every kernel has its own draw.
        variant: `miccai2018`, or `mia2019` for the follow-up's network, with a 1x1 convolution before each
            hourglass and as its output, and gates that start at random (Payer et al. 2019).
        recompute: Whether a hourglass is computed again for its gradient, instead of its intermediate results
            being kept: it takes less memory and more time.
        for_xla: Whether XLA compiles what computes the network, and operations are chosen that it fuses. The
            numbers are the same.
        **kwargs: What `tf.keras.Model` takes; with a mixed `dtype`, the output convolutions still compute in
            float32.

    Call arguments:
        inputs: float32 [B, T, H, W, C], intensities about -1..1.

    Output shape:
        The raw embeddings of both hourglasses, float32 [B, T, H, W, D] each.

    Example:
        >>> first, second = StackedHourglass(filters=8, levels=3, outputs=4)(tf.zeros([1, 5, 32, 32, 1]))

    Raises:
        ValueError: An argument is out of range; images have a size that does not fit the levels, which is
            checked where the size is known when tracing; or inputs have another rank or number of channels
            than at first.
    """

    def __init__(
        self,
        filters: int = 64,
        levels: int = 7,
        outputs: int = 16,
        recurrent: bool = True,
        seed: int = 0,
        variant: str = "miccai2018",
        recompute: bool = False,
        for_xla: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("levels", levels), ("outputs", outputs)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}")
        if variant not in NORM_EPSILON:
            raise ValueError(f"`variant` must be one of {', '.join(NORM_EPSILON)}. Received: {variant!r}")
        self._config = {
            "filters": filters,
            "levels": levels,
            "outputs": outputs,
            "recurrent": recurrent,
            "seed": seed,
            "variant": variant,
            "recompute": recompute,
            "for_xla": for_xla,
        }
        self.levels = levels
        self._epsilon = NORM_EPSILON[variant]
        self.hourglasses = [
            Hourglass(
                filters,
                levels,
                outputs,
                recurrent,
                seed * 1000 + 100 * index,
                follow_up=variant == "mia2019",
                for_xla=for_xla,
                name=f"hourglass_{index}",
                dtype=self.dtype_policy,
            )
            for index in range(HOURGLASSES)
        ]

    def build(self, input_shape: Any) -> None:
        """Creates all weights; only the number of channels in `input_shape` matters."""
        shape = tf.TensorShape(input_shape)
        if shape.rank != 5 or shape[-1] is None:
            raise ValueError(f"Inputs must be [B, T, H, W, C] with C known. Received shape: {input_shape}")
        self.input_spec = tf.keras.layers.InputSpec(ndim=5, axes={-1: shape[-1]})
        for index, hourglass in enumerate(self.hourglasses):
            channels = shape[-1] + (self._config["outputs"] if index else 0)
            with tf.name_scope(hourglass.name):
                hourglass.build([None, None, None, None, channels])
        # `tf.keras.Model.build` would trace the whole network only to create weights that now exist.
        tf.keras.layers.Layer.build(self, input_shape)

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the raw embeddings of a clip; arguments and results are those of the class."""
        self._check_size(inputs)
        run = tf.recompute_grad if self._config["recompute"] else lambda hourglass: hourglass
        first = run(self.hourglasses[0])(inputs)
        second = run(self.hourglasses[1])(self._link(inputs, first))
        return tf.cast(first, tf.float32), tf.cast(second, tf.float32)

    def step(
        self, frame: tf.Tensor, states: States | None = None
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], States]:
        """Computes one frame of a stream; frame by frame this gives what the whole sequence gives.

        Args:
            frame: float32 [B, H, W, C].
            states: What the call for the frame before returned; None at the first frame.

        Returns:
            ((first, second), states): the raw embeddings of both hourglasses, float32 [B, H, W, D] each; and
            for each hourglass the states of its levels, [B, H / 2^l, W / 2^l, filters], none if the network
            is not recurrent.

        Raises:
            ValueError: The frame's rank, its number of channels or its size does not fit the network.
        """
        frame = tf.convert_to_tensor(frame)
        if not self.built:
            self.build([None, None, None, None, frame.shape[-1]])
        if frame.shape.rank != 4 or frame.shape[-1] != self.input_spec.axes[-1]:
            raise ValueError(
                f"A frame must be [B, H, W, C] with C = {self.input_spec.axes[-1]}. "
                f"Received shape: {frame.shape}"
            )
        self._check_size(frame[:, None])
        before = [None, None] if states is None else [level_states or None for level_states in states]
        inputs = tf.cast(frame[:, None], self.compute_dtype)
        first, first_states = self.hourglasses[0].step(inputs, before[0])
        second, second_states = self.hourglasses[1].step(self._link(inputs, first), before[1])
        outputs = tf.cast(first[:, 0], tf.float32), tf.cast(second[:, 0], tf.float32)
        return outputs, [first_states, second_states]

    def zero_states(self, batch: int, height: int, width: int) -> States:
        """Makes the states that `step` begins with if given None.

        With these given instead, the first frame shares the trace of the others.

        Args:
            batch: Number of videos B.
            height: Height H of the images.
            width: Width W of the images.

        Returns:
            For each hourglass its levels' zeros, [B, H / 2^l, W / 2^l, filters] in the dtype the network
            computes in.
        """
        levels = range(self.levels if self._config["recurrent"] else 0)
        filters = self._config["filters"]
        return [
            [
                tf.zeros([batch, height >> level, width >> level, filters], self.compute_dtype)
                for level in levels
            ]
            for _ in self.hourglasses
        ]

    def _link(self, inputs: tf.Tensor, embeddings: tf.Tensor) -> tf.Tensor:
        """Joins the image with the embeddings at unit length, which are normalised in float32."""
        unit = tf.math.l2_normalize(tf.cast(embeddings, tf.float32), axis=-1, epsilon=self._epsilon)
        return tf.concat([inputs, tf.cast(unit, inputs.dtype)], axis=-1)

    def _check_size(self, inputs: tf.Tensor) -> None:
        step = 2 ** (self.levels - 1)
        for side in inputs.shape[2:4]:
            if side is not None and side % step:
                raise ValueError(
                    f"Height and width must be divisible by {step} for {self.levels} levels. "
                    f"Received: {inputs.shape}"
                )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of `__init__`, for Keras to make an equal network."""
        return {"name": self.name, "dtype": self.dtype_policy.name, **self._config}
