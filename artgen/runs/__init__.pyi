"""The names of the package and where each comes from; `__init__.py` imports them on first use."""

from .agreement import check_agreement as check_agreement
from .context import RunContext as RunContext
from .device import resolve_device as resolve_device
from .elsewhere import Elsewhere as Elsewhere
from .files.folder import RunFolder as RunFolder
from .files.log import read_generations as read_generations
from .files.log import read_losses as read_losses
from .files.paths import check_outputs as check_outputs
from .files.paths import default_stem as default_stem
from .files.paths import named_files as named_files
from .files.paths import output_paths as output_paths
from .files.paths import style_name as style_name
from .files.result import OUTPUTS as OUTPUTS
from .files.result import Result as Result
from .job import Fitted as Fitted
from .job import Job as Job
from .kind import Asked as Asked
from .kind import Estimate as Estimate
from .kind import Reason as Reason
from .kind import RunKind as RunKind
from .kinds.picture.run import PictureRun as PictureRun
from .opening import open_photo as open_photo
from .opening import read_target as read_target
from .runner import estimate as estimate
from .runner import is_divisible as is_divisible
from .runner import run as run
