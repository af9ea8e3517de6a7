"""The plain network that times are compared with computes what ours does."""

import numpy as np

from benchmarks.plain_network import plain_loss, plain_network
from benchmarks.training_step import SIZES, random_batch
from cosembed.losses import cosine_embedding_loss
from cosembed.models import StackedHourglass


def test_plain_network_and_loss_compute_what_ours_do():
    size = SIZES["smoke"]
    ours = StackedHourglass(size.filters, size.levels, size.outputs)
    plain = plain_network(size.filters, size.levels, size.outputs, size.length, size.side)
    ours.build([None, None, None, None, 1])
    generator = np.random.default_rng(0)
    ours.set_weights([generator.normal(0, 0.1, weight.shape) for weight in ours.get_weights()])
    for hourglass in ours.hourglasses:
        convolutions = [*hourglass.contracting, *hourglass.expanding, hourglass.output_convolution]
        for layer in convolutions:
            plain.get_layer(f"{hourglass.name}.{layer.name}").layer.set_weights([layer.kernel, layer.bias])
        for layer in hourglass.parallel:
            gates = plain.get_layer(f"{hourglass.name}.{layer.name}")
            for part in ("reset", "update", "candidate"):
                weights = [getattr(layer, f"{part}_kernel"), getattr(layer, f"{part}_bias")]
                getattr(gates, part).set_weights(weights)
    batch = random_batch(size)
    for found, expected in zip(plain(batch["image"]), ours(batch["image"]), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
        masks = batch["instances"]
        np.testing.assert_allclose(
            plain_loss(found, masks), cosine_embedding_loss(expected, masks), rtol=1e-5
        )
