"""The three tasks of the paper, cells, heart and leaves: train, predict, evaluate, collect, report."""
