"""Pictures fitted in tiles: any size, in memory that depends on the tiles alone."""
