"""What `heldout explain` says: facts of `heldout.anatomy` -> text, LaTeX, JSON and a drawing.

In reading order: `document` (what an explanation is made of), `as_text` and `as_latex` (how it is written), then one
file a subject.
"""
