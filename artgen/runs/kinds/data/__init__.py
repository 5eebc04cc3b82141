"""Data in place of a picture: curves, labelled points, sets of pictures."""
