"""Classes of unlike size: what an example of a rare class weighs, and batches with each class equally often.

In reading order: `imbalance` (weights), `decks`, `keyed_shuffle` and `pile_shuffle` (two ways to shuffle them),
`dealing` and `balanced_batches` (batches of any number of labels).
"""
