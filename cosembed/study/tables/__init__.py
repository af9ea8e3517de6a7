"""Puts our scores beside the paper's, as tables for a terminal, a document, a browser or a program."""
