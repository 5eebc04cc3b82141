"""What every forked process has imported already: nothing that starts threads, which no fork has."""

import av
import numba
import scipy.ndimage
import skimage.metrics
import torch.distributed.tensor  # for tensors that record
from numba.core.registry import cpu_target

import artgen.api
import artgen.cli._recipe
import artgen.cli._runs
import artgen.engines.climb
import artgen.engines.genetic
import artgen.engines.gradient
import artgen.engines.scratch.engine
import artgen.engines.solve
import artgen.raster.cpu
import artgen.raster.span_kernels
import artgen.raster.vector_math
import artgen.runner._control
import artgen.runner._run
import artgen_plugins.autoencoder
import artgen_plugins.gaussian
import artgen_plugins.mlp
import artgen_plugins.pca
import artgen_plugins.triangle

# What numba would import with the first kernel.
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
