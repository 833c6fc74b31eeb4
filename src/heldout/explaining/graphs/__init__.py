"""`heldout explain graph`."""
