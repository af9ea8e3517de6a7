"""Tests; their folders mirror the package, beside helpers and robustness."""
