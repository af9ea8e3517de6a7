"""The commands, one module each, and `main`, which finds the one that is asked for. Nothing lower imports
them.

A command's module reads flags, prints, and decides what is an error; the work is done by the rooms below. Its
docstring is its help text, the first sentence is its line in the list of commands. What it works with is
imported in its `main`, so that help is there at once.
"""
