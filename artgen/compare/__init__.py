"""Several contestants on the same targets at an equal budget, beside JPEG, WebP and AVIF.

All pictures are judged alike: 8 bits per channel at the fitting size, drawn from the parameters as
they are saved, against the 8-bit target. A codec gets as many bytes as the parameters it stands
beside, and its whole file has to fit into them, headers included.

Of a set of pictures codecs of our own are compared: by what they store for a picture, the error
over the test pictures, and the rank at which singular values alone would have that error.

Names are imported when they are first used: `Contestant` needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
