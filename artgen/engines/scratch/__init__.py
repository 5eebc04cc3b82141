"""Reverse-mode automatic differentiation on numpy, written to be read, and an engine that uses it.

Read it in this order: `tensor` (numbers with a shape), `nodes` (what can be computed, and its
derivatives), `graph` (in which order), `adamw` (what to do with the gradients), `dot` (a picture of
a graph), `engine` (fitting fields). Only the engine knows about pictures.
"""

from artgen.engines.scratch.adamw import AdamW, Variant, check_betas, uncorrected_step
from artgen.engines.scratch.dot import to_dot, to_svg
from artgen.engines.scratch.nodes import (
    Abs,
    Add,
    Broadcast,
    Constant,
    Exp,
    LeakyRelu,
    LearnableParameter,
    Matrix,
    Mul,
    Node,
    Reduce,
    Sin,
    Square,
    Sub,
    Variable,
    VectorMatrixMultiply,
)
from artgen.engines.scratch.tensor import Tensor

__all__ = [
    "Abs",
    "AdamW",
    "Add",
    "Broadcast",
    "Constant",
    "Exp",
    "LeakyRelu",
    "LearnableParameter",
    "Matrix",
    "Mul",
    "Node",
    "Reduce",
    "Sin",
    "Square",
    "Sub",
    "Tensor",
    "Variable",
    "Variant",
    "VectorMatrixMultiply",
    "check_betas",
    "to_dot",
    "to_svg",
    "uncorrected_step",
]
