"""A genetic algorithm over whole pictures: stacks of shapes, and partitions."""
