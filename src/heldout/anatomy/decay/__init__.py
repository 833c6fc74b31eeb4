"""Weight decay: where it ends, how fast, and what torch's optimisers mean by it."""
