"""What happens to every frame and every label image, in training and testing alike.

This room knows arrays and specs only.
"""
