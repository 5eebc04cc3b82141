"""Reverse-mode automatic differentiation on numpy, written to be read.

Read it in this order: `tensor` (numbers with a shape), `nodes` (operations and their derivatives),
`graph` (the order of evaluation), `adamw` (the optimizer), `dot` (a picture of a graph). The engine
`scratch` fits fields with it.
"""

from artgen.autograd.adamw import AdamW, Variant, check_betas, uncorrected_step
from artgen.autograd.dot import to_dot, to_svg
from artgen.autograd.nodes import (
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
from artgen.autograd.tensor import Tensor

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
