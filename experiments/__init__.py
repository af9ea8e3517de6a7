"""One module per experiment of the paper; `runner` turns flags into steps."""
