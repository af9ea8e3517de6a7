"""Measures what the package costs, beside plainer ways to do the same; nothing in cosembed imports it."""
