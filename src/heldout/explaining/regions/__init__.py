"""`heldout explain region`."""
