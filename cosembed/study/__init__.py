"""Runs experiments as a whole: what trains and is tested, the stages of every task, results and tables.

This room knows every room below it by its public functions; of the paper's experiments it knows none.
"""
