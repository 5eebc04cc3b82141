from .base import Engine as Engine
from .base import Problem as Problem
from .base import Report as Report
