"""What everything stands on: errors, options, generic functions, reading files; no torch."""
