"""How drawings look: as pictures, plots, maps of classes and sheets, with their metrics."""
