"""Clips: their shots are detected, fitted frame by frame, and joined into a film."""
