from ._comparison import Comparison as Comparison
from ._files import check_files as check_files
from ._files import find_targets as find_targets
from ._files import of_sets as of_sets
from ._rows import Contestant as Contestant
from ._rows import Line as Line
from ._rows import Row as Row
