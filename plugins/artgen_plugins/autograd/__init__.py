"""Reverse-mode automatic differentiation on numpy, written to be read.

Read it in this order: `tensor` (numbers with a shape), `nodes` (operations and their derivatives),
`graph` (the order of evaluation), `adamw` (the optimizer), `dot` (a picture of a graph). The engine
`scratch` fits fields with it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
