"""Tracks a person's own video: how much memory it takes, what makes it doubtful, the order of the steps."""
