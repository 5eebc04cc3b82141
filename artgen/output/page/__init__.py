"""A drawing as one HTML file that draws itself, at any depth, with nothing from elsewhere.

Splats and fields are drawn by WebGL 2 with shaders written from the same graphs as the kernels
that fitted them, shapes by the paths of their SVG elements. The file holds their numbers, a
script, a style sheet and the recipe; its policy allows only these.
"""

from artgen.output.page._document import PageWords, encode_page

__all__ = ["PageWords", "encode_page"]
