"""Files of a run: its folder, states to go on from, logs, inputs, names of outputs, the result."""
