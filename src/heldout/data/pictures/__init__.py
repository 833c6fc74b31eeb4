"""Bytes of pictures -> pixels, and what pixels say against a score.

In reading order: `decoding` (the one pixel path), `survey` (one pass over all files, each judged), `augment` (canvases
-> inputs of a network), `appearance` (what a picture looks like, in a few numbers), `impressions` and `likeness` (what
near copies have in common), `candidates` and `near_duplicates` (pairs and their clusters), `near_problems`, `oddities`
and `overlays` (Findings).
"""
