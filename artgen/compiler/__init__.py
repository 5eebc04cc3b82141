"""The footprint compiler: torch is recorded, scheduled, and printed as kernels that are cached."""
