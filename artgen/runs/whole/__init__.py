"""A whole run of any kind: carried out, estimated, or as a task for an executor."""
