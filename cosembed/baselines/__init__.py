"""Gives classical methods to compare with: they learn nothing and know nothing of the network."""
