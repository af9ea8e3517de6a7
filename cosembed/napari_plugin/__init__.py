"""Shows results in napari, and tracks and trains from there.

napari need not be where TensorFlow is: `cosembed track` and `cosembed train` run as processes of a Python
that the person chooses. This room imports no TensorFlow, and only `panels` and `widgets` know Qt and napari.
"""
