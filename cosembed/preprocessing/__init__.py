"""What happens to every frame and every label image, in training and testing alike. Knows arrays and specs only."""
