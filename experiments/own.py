"""Your own annotated videos: trains, tests on what it did not train on, and reports; the paper has no such experiment.

    cosembed suggest-spec --data=data/mydata --output=mydata.yaml
    python -m experiments.own --spec=mydata.yaml --data_dir=data --out_dir=runs --name=mydata --profile=cpu

Expected: no numbers are known; the report shows the scores beside a classical baseline's.
Expected time: about 45 min per training on two cores (profile cpu).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from cosembed import specs
from cosembed.errors import InputError
from cosembed.specs import CellsSpec
from cosembed.study.runner import Experiment, run

FLAGS = flags.FLAGS

flags.DEFINE_string("spec", "", "YAML file with the values of your data, as cosembed suggest-spec writes it.")


def resolve(recipe: str, profile: str, overrides: Mapping[str, Any]) -> CellsSpec:
    """The spec of the file named by --spec."""
    if not FLAGS.spec:
        raise InputError("--spec is missing: write one with cosembed suggest-spec; see --help")
    return specs.resolve_file(Path(FLAGS.spec), recipe, profile, overrides)


EXPERIMENT = Experiment(name="own", dataset="", resolve=resolve)

if __name__ == "__main__":
    run(EXPERIMENT)
