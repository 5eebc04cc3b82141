"""Modules imported before forking. None of them starts threads, which a fork would lose."""

import av
import numba
import scipy.ndimage
import skimage.metrics
import torch.distributed.tensor  # for tensors that record
from numba.core.registry import cpu_target

import artgen.api
import artgen.cli._main
import artgen.cli._recipe
import artgen.cli._runs
import artgen.compiler.vector_math
import artgen.engines.climb.engine
import artgen.engines.genetic.engine
import artgen.engines.gradient.engine
import artgen.engines.scratch
import artgen.engines.solve
import artgen.raster.cpu
import artgen.raster.span_kernels
import artgen.runner._arithmetic
import artgen.runner._run
import artgen.tasks
import artgen_plugins.autoencoder
import artgen_plugins.gaussian
import artgen_plugins.mlp
import artgen_plugins.pca
import artgen_plugins.triangle

# What numba would import with the first kernel.
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()

# Which arithmetic is faster depends on what else the machine does; runs that are compared use one.
artgen.runner._arithmetic.FASTER = float("inf")
