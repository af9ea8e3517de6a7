"""Tables that put our scores beside the paper's."""
