"""Watches a training script that is run as it is, or reads it, and says why a number it prints cannot be trusted.

In reading order: `seen` (what is seen), `watch` (how: the only part that touches torch), `process` (where), `facts`,
`counted` and `printed` (what it comes to), `rules` and `judging` (what is wrong with it), `reading` (what the text
alone tells), `auditor` and `audited` (all of it together), `wording`, `told` and `sarif` (how that is said). What a
watch sees never depends on the rules, and the rules never on torch: they can be run again on an old log.
"""
