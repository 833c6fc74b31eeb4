"""Where a single neuron of two inputs is 0: lines, conics and bells."""
