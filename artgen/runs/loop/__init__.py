"""The loop of a fit: its stages, and the four objects that it asks on the way.

`agenda` says what happens at which step, `recording` takes frames and keeps key drawings,
`recovery` goes on after what goes wrong, `time_budget` counts seconds and turns them into steps.
"""
