"""`heldout explain count`."""
