"""SVG files read: elements, style sheets, filled paths, and pictures of them."""
