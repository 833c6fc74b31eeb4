"""Classes of unlike size: what an example of a rare class weighs, and batches with each class equally often.

In reading order: `imbalance` (weights), `keyed_shuffle`, `decks` and `balanced_batches` (batches of any number of
labels).
"""
