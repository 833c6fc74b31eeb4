"""How a running script is seen: the only files that touch torch. `watcher` gathers, `watching` begins and ends."""
