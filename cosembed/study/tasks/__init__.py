"""Holds the three tasks of the paper: cells, heart and leaves.

Of each there are three modules: `cells` finds and checks the data, without TensorFlow; `cells_stages` trains,
predicts and scores; `cells_report` writes what a person reads.
"""
