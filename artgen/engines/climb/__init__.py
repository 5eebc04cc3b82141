"""Hill climbing over stacks of shapes, one shape at a time."""
