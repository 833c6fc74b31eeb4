"""`heldout explain neuron`."""
