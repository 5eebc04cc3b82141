"""SVG files written: drawings and plots. `artgen.svg` reads them."""
