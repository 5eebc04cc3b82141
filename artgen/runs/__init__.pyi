"""The names of the package and where each comes from; `__init__.py` imports them on first use."""

from .agreement import check_agreement as check_agreement
from .context import RunContext as RunContext
from .device import resolve_device as resolve_device
from .elsewhere import Elsewhere as Elsewhere
from .folder import RunFolder as RunFolder
from .job import Fitted as Fitted
from .job import Job as Job
from .kind import Asked as Asked
from .kind import Estimate as Estimate
from .kind import Reason as Reason
from .kind import RunKind as RunKind
from .log import read_generations as read_generations
from .log import read_losses as read_losses
from .opening import open_photo as open_photo
from .opening import read_target as read_target
from .paths import check_outputs as check_outputs
from .paths import default_stem as default_stem
from .paths import named_files as named_files
from .paths import output_paths as output_paths
from .picture.run import PictureRun as PictureRun
from .result import OUTPUTS as OUTPUTS
from .result import Result as Result
from .whole.run import estimate as estimate
from .whole.run import is_divisible as is_divisible
from .whole.run import run as run
