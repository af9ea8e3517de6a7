"""Every weight of a network has a name, and checkpoints hold it by that name."""

import pytest
import tensorflow as tf

from cosembed.models import StackedHourglass, checkpoint_tree, named_weights


@pytest.mark.parametrize("variant", ["miccai2018", "mia2019"])
@pytest.mark.parametrize("recurrent", [True, False])
def test_every_weight_has_a_name_and_a_checkpoint_holds_it_by_that_name(recurrent, variant, tmp_path):
    model = StackedHourglass(filters=2, levels=2, outputs=3, recurrent=recurrent, variant=variant)
    model.build([None, None, None, None, 1])
    weights = named_weights(model)
    assert len(weights) == len(model.weights)
    assert len({id(variable) for variable in weights.values()}) == len(weights)
    assert weights["hourglasses/1/contracting/0/kernel"].shape[-2] == (
        1 + 3 if variant == "miccai2018" else 2
    )
    parallel = "reset_kernel" if recurrent else "kernel"
    assert weights[f"hourglasses/0/parallel/1/{parallel}"].shape == [3, 3, 4 if recurrent else 2, 2]

    prefix = checkpoint_tree(weights).write(str(tmp_path / "weights"))
    saved = dict(tf.train.list_variables(prefix))
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    found = {name.removesuffix(ending): shape for name, shape in saved.items() if name.endswith(ending)}
    expected = {name: list(variable.shape) for name, variable in weights.items()}
    assert {name: found.pop(name) for name in expected} == expected
    # What else a checkpoint holds counts its saves.
    assert set(found) <= {"save_counter"}
