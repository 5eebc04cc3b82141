"""Engines search: they turn a problem into better and better drawings."""

from artgen.engines.base import Engine, Problem, Report

__all__ = ["Engine", "Problem", "Report"]
