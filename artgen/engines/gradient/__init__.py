"""Gradient descent on the raw parameters of splats, fields, shapes, meshes and codecs."""
