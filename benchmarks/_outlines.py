"""Shapes as a user writes them in a loose file: outlines with many corners."""

import math

import numpy as np

from artgen import Shape

TURN = np.linspace(0, 2 * math.pi, 32, endpoint=False)
ACROSS = np.sin(TURN) ** 3
ALONG = (5 - 13 * np.cos(TURN) + 5 * np.cos(2 * TURN) + 3 * np.cos(3 * TURN)) / 22


class Heart(Shape):
    """A heart: its middle (x, y), and the vector (u, v) towards its tip."""

    genes, vertices = 4, 32

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes, points):
        x, y, u, v = genes[0], genes[1], genes[2], genes[3]
        for i in range(len(points)):
            points[i, 0] = x + ALONG[i] * u - ACROSS[i] * v
            points[i, 1] = y + ALONG[i] * v + ACROSS[i] * u


class Star(Shape):
    """A star with five tips, the first of them at the vector (u, v) from its middle."""

    genes, vertices = 4, 10

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes, points):
        step = 2 * math.pi / len(points)
        cosine, sine = math.cos(step), math.sin(step)
        u, v = genes[2], genes[3]
        for i in range(len(points)):
            reach = 0.45 if i % 2 else 1.0
            points[i, 0], points[i, 1] = genes[0] + reach * u, genes[1] + reach * v
            u, v = cosine * u - sine * v, sine * u + cosine * v
