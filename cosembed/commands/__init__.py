"""The command lines: one module per command.

They read flags, print, and decide the exit status; nothing imports them.
"""
