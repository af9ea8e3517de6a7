"""Names the numbers that have a meaning in label images and in the masks made from them."""

# Label images hold 16 bits; 0 is the background.
LARGEST_LABEL = 2**16 - 1

# In an instance's mask: its own pixels (S in the paper), the pixels of its neighbours (N), and 0 for neither.
OWN, NEIGHBOUR = 1, 2

# In an image of classes: a pixel of a frame that has no labels; the loss leaves it out.
UNLABELLED = 255
