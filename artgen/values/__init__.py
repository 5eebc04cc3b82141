"""The immutable values that everything passes on: canvas, frame, drawing, subject."""
