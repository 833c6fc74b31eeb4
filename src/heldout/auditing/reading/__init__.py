"""What the text of a script tells without running it. `scripts` reads one; `tree` is how its syntax is walked."""
