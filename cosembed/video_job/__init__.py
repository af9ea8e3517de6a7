"""A person's own video: how much memory it takes, what makes its tracks doubtful, and the order of the
steps.
"""
