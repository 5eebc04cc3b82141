"""Modules imported before forking. None of them starts threads, which a fork would lose."""

import gc

import av
import filelock
import matplotlib.backends.backend_agg
import matplotlib.backends.backend_pdf
import matplotlib.patches
import numba
import PIL.GifImagePlugin
import PIL.JpegImagePlugin
import PIL.PngImagePlugin
import platformdirs
import safetensors.torch
import scipy.ndimage
import scipy.spatial
import skimage.io
import skimage.metrics
import torch.distributed.tensor  # for tensors that record
from numba.core.registry import cpu_target

import artgen.api
import artgen.cli._main
import artgen.cli._recipe
import artgen.cli._runs
import artgen.cli.fit
import artgen.compiler.vector_math
import artgen.engines.genetic.engine
import artgen.engines.gradient.engine
import artgen.families.shape.climb
import artgen.families.shape.span_kernels
import artgen.families.splat.backend
import artgen.families.splat.cpu
import artgen.families.splat.densify
import artgen.families.splat.eager
import artgen.families.splat.objective
import artgen.gallery._build
import artgen.plan.early
import artgen.runs.arithmetic
import artgen.runs.kinds.clip.run
import artgen.runs.kinds.data.run
import artgen.runs.kinds.picture.run
import artgen.runs.kinds.tiles.run
import artgen.runs.runner
import artgen.tasks
import artgen_plugins.autoencoder
import artgen_plugins.gaussian
import artgen_plugins.mlp
import artgen_plugins.pca
import artgen_plugins.samples.opener
import artgen_plugins.scratch
import artgen_plugins.solve
import artgen_plugins.triangle

# What numba would import with the first kernel.
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()

# What stays is not looked through again, by no process: that would copy all of it.
gc.collect()
gc.freeze()
