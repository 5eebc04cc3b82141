"""What every forked process has imported already."""

import numba
import torch

import artgen.api
import artgen.cli
import artgen.engines
import artgen.raster
import artgen.runner
