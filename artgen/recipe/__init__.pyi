"""The names of the package and where each comes from; `__init__.py` imports them on first use."""

from .recipe import SCHEMA as SCHEMA
from .recipe import Recipe as Recipe
from .recipe import flag_of as flag_of
from .recipe import flagged as flagged
from .recipe import home_of as home_of
from .recipe import keywords as keywords
from .tables import MOST_COLOURS as MOST_COLOURS
from .tables import MOST_REVISIONS as MOST_REVISIONS
from .tables import MOST_STEPS as MOST_STEPS
from .tables import SIZE_KEYS as SIZE_KEYS
from .tables import ClipTable as ClipTable
from .tables import EditTable as EditTable
from .tables import FileReference as FileReference
from .tables import KindTable as KindTable
from .tables import MorphTable as MorphTable
from .tables import OutputTable as OutputTable
from .tables import PieceTable as PieceTable
from .tables import Precision as Precision
from .tables import PrimitiveTable as PrimitiveTable
from .tables import RunTable as RunTable
from .tables import Stage as Stage
from .tables import TargetTable as TargetTable
from .tables import TilesTable as TilesTable
from .tables import VideoFormat as VideoFormat
from .tables import ViewTable as ViewTable
from .texts import MOST_PARTS as MOST_PARTS
