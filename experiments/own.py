"""Your own annotated videos: trains, tests on what it did not train on, and reports.

The paper has no such experiment.

    cosembed suggest-spec --data=data/mydata --output=mydata.yaml
    python -m experiments.own --spec=mydata.yaml --data_dir=data --out_dir=runs --name=mydata --profile=cpu

Expected: no numbers are known; the report shows the scores beside a classical baseline's.
Expected time: about 45 min per training on two cores (profile cpu).
"""

from absl import flags

from cosembed.commands import command_line
from cosembed.study import own_data
from experiments.command import command_of

EXPERIMENT = own_data.EXPERIMENT

if __name__ == "__main__":
    own_data.define_flags(flags.FLAGS)
    command_line.run(lambda: own_data.run_from_flags(flags.FLAGS, command_of(EXPERIMENT.name)))
