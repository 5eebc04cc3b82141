"""The names of the package and where each comes from; `__init__.py` imports them on first use."""

from .complete import Plan as Plan
from .complete import make_plan as make_plan
from .complete import resolve as resolve
from .names import Named as Named
from .names import check_families as check_families
from .names import find_names as find_names
from .names import find_primitive as find_primitive
from .options import migrated as migrated
from .target import DEFAULT_COUNT as DEFAULT_COUNT
