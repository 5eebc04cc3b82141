"""How drawings look: as pictures, plots, maps of classes and sheets, with their metrics."""

METRICS = ("psnr", "ssim", "mse", "accuracy", "mean_error")
"""The names of all metrics of a drawing; those that do not apply to a kind of target are None."""
