"""The exceptions of artgen, and functions for those who raise them."""

from artgen.base.errors import ArtgenError as ArtgenError
from artgen.base.errors import DeviceLost as DeviceLost
from artgen.base.errors import Diverged as Diverged
from artgen.base.errors import GalleryError as GalleryError
from artgen.base.errors import InputError as InputError
from artgen.base.errors import Interrupted as Interrupted
from artgen.base.errors import OutOfMemory as OutOfMemory
from artgen.base.errors import OutputError as OutputError
from artgen.base.errors import PluginError as PluginError
from artgen.base.errors import UsageError as UsageError
from artgen.base.errors import did_you_mean as did_you_mean
from artgen.base.errors import install_hint as install_hint
from artgen.base.errors import reading as reading
from artgen.base.files import printable as printable
from artgen.base.files import read_regular as read_regular
from artgen.base.toml import parse_toml as parse_toml

__all__ = sorted(name for name in globals() if not name.startswith("_"))
