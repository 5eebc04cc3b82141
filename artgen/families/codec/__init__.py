"""Codecs: an encoder and a decoder for the pictures of a set."""
