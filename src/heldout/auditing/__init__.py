"""Watches a training script that is run as it is, or reads it, and says why a number it prints cannot be trusted.

In reading order: `log` (what is seen), `watcher` and the `watch_*` files (how it is seen: the only ones that touch
torch), `facts` (what it comes to), `rules` and `printed` (what is wrong with it), `told` (how that is said). What a
watch sees never depends on the rules, and the rules never on torch: they can be run again on an old log.
"""
