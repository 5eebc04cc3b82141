from .forms import Form as Form
from .forms import Samples as Samples
from .forms import Shot as Shot
from .forms import Take as Take
from .forms import eased as eased
from .forms import embers as embers
from .forms import encode_within as encode_within
