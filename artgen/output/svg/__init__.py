"""SVG files of drawings, and what those of plots share with them. `artgen.svg` reads SVG."""
