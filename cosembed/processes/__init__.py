"""Runs functions in processes beside this one, and lets them share memory. Knows nothing of what they do."""
