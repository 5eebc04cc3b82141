"""The public names and where each comes from; `__init__.py` imports them on first use.

Modules are namespaces; docs/python.md lists their names. Names of version 0.1 that moved into one
are left out, so that type checkers report them.
"""

from . import animation as animation
from . import art as art
from . import editing as editing
from . import engines as engines
from . import errors as errors
from . import events as events
from . import family as family
from . import init as init
from . import ink as ink
from . import losses as losses
from . import making as making
from . import nn as nn
from . import primitives as primitives
from . import rates as rates
from . import runs as runs
from . import targets as targets
from . import tasks as tasks
from . import testing as testing
from .api import Stream as Stream
from .api import fit as fit
from .api import register as register
from .api import stream as stream
from .art import Art as Art
from .art import load as load
from .base.errors import ArtgenError as ArtgenError
from .base.options import option as option
from .editing import edit as edit
from .engines import Engine as Engine
from .families.codec.contract import Codec as Codec
from .families.field.contract import Field as Field
from .families.ink.contract import Ink as Ink
from .families.mesh.contract import Mesh as Mesh
from .families.partition.contract import Partition as Partition
from .families.shape.climb import ClimbEngine as ClimbEngine
from .families.shape.contract import Shape as Shape
from .families.splat.contract import Splat as Splat
from .hookspecs import Spec as Spec
from .hookspecs import hookimpl as hookimpl
from .primitives import Param as Param
from .primitives import Params as Params
from .primitives import Preset as Preset
from .primitives import Primitive as Primitive
from .primitives import pixels as pixels
from .raster import draw as draw
from .values.canvas import Canvas as Canvas
from .values.drawing import Drawing as Drawing

__all__: list[str]
__version__: str
