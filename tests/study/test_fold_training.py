"""Networks of the authors take the place of training."""

import pytest

from cosembed import specs
from cosembed.study.fold_training import fit_released
from tests.helpers.numpy_network import seeded_variables, write_checkpoint


@pytest.mark.parametrize(("follow_up", "recipe"), [(False, "released"), (True, "mia2019")])
def test_a_network_of_the_authors_brings_its_recipe_and_leaves_what_was_set_by_hand(
    follow_up, recipe, tmp_path
):
    write_checkpoint(
        tmp_path / "PhC-C2DH-U373" / "model-1", seeded_variables(1, levels=3, follow_up=follow_up)
    )
    by_hand = {"tracking.parent_frames": 3, "tracking.merge_iou": 0.5}
    fitted = fit_released(specs.resolve("PhC-C2DH-U373", "released", "paper", by_hand), tmp_path)
    expected = specs.resolve("PhC-C2DH-U373", recipe, "paper", by_hand)
    assert (fitted.recipe, fitted.tracking, fitted.inference) == (
        recipe,
        expected.tracking,
        expected.inference,
    )
    assert fitted.network.levels == 3
