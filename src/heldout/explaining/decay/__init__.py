"""`heldout explain decay`."""
