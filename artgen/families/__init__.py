"""The families of primitives, a folder each: contract, painting, search, files, checks."""
