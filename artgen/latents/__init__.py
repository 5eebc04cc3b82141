"""Latent space of codecs: places and walks between the pictures of a set, and plots of it."""
