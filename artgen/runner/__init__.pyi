"""The names of the package and where each comes from; `__init__.py` imports them on first use."""

from ._device import resolve_device as resolve_device
from ._estimate import Estimate as Estimate
from ._estimate import estimate as estimate
from ._folder import RunFolder as RunFolder
from ._log import read_generations as read_generations
from ._log import read_losses as read_losses
from ._paths import default_stem as default_stem
from ._paths import output_paths as output_paths
from ._paths import refuse_existing as refuse_existing
from ._prepare import open_photo as open_photo
from ._prepare import read_target as read_target
from ._result import OUTPUTS as OUTPUTS
from ._result import Result as Result
from ._resume import check_agreement as check_agreement
from ._run import run as run
from .clip._run import SceneExecution as SceneExecution
