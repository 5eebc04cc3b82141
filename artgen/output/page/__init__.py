"""A drawing as one self-contained HTML file that can be zoomed without limit.

WebGL 2 draws splats and fields with shaders generated from the same graphs as the kernels that
fitted them. Shapes are drawn as the paths of their SVG elements. The file contains the parameters,
a script, a style sheet and the recipe, and its content security policy allows nothing else.
"""

from artgen.output.page.document import PageWords, plain_json, render_document

__all__ = ["PageWords", "plain_json", "render_document"]
