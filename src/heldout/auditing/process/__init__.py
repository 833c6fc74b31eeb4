"""The process in which a script runs: `targets` finds it, `running` starts it, `child` is its first file."""
