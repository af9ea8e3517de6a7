"""Experiments as a whole: which videos train and are tested, the steps of every task, results, and tables.

This room knows every other part of the package by its public functions; of the paper's experiments it knows
none.
"""
