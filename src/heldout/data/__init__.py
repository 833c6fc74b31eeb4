"""Bytes to examples: which pictures there are, whether they can be trusted, and which part each is in.

Requirements that every file here meets:

- No input is changed, and nothing is opened before the file system has said that it is a regular file.
- Bytes are asked of a `Source` alone, so a folder, an archive and an address are the same to everything else.
- Nothing depends on the order in which the file system answers; ids are POSIX paths below one root.
- There is one class map, from sorted names, made in `examples.gather`.
- What cannot be used is a `DataError` with what, expected and fix; what can be used but weakens a number is a
  Finding; what is not used is named in `Examples.passed_over`.
- torch is never imported. The test part's examples are given out by `sealed.open_heldout` alone.

In reading order:

- `examples.py`: `Examples` and the class map; `groups.py`: which examples must not be parted.
- `storage/`: where the bytes are: a folder, an archive read in place, an address.
- `layouts/`: how pictures are laid out -> `Examples`.
- `pictures/`: bytes -> pixels, and what pixels say against a score.
- `tabular/`: rows -> `Examples` and features, and what a table says against a score.
- `batches.py`: stored inputs in seeded batches; `balance/`: batches and weights for classes of unlike size.
- `drawing.py`, `splits.py`: train, validation and test; `folds.py`: folds for cross-validation.
- `small_classes.py`, `class_problems.py`, `problems.py`: what weakens a score -> Findings.
- `sealed.py`: the held-out part.
"""
