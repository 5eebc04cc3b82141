"""How fast artgen is and how much memory it takes, measured on this machine.

    python -m benchmarks all                    every benchmark, as Markdown on stdout
    python -m benchmarks footprints --quick     one of them, in a few seconds, on tiny scenes
    python -m benchmarks all --write            also update benchmarks/RESULTS.md
    python -m benchmarks check                  ten figures again: which moved?

What is compared runs side by side in one process, its repetitions interleaved, and is reported as
medians and their ratios: a machine that is slow for a minute is slow for everyone.
"""
