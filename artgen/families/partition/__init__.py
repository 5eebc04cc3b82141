"""Partitions: sites that divide the canvas among them."""
