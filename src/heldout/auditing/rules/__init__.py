"""The rules, one small file a subject: `find_*` gives the hits in what was seen, and a `Rule` says what they mean.

`every` lists them. A rule asks `heldout.auditing.facts` and knows nothing of torch, of hooks, or of other rules.
"""
