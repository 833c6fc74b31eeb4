"""Bytes to examples: which pictures there are, whether they can be trusted, and which part each is in.

Requirements that every file here meets:

- No input is changed, and nothing is opened before the file system has said that it is a regular file.
- Nothing depends on the order in which the file system answers; ids are POSIX paths below one root.
- There is one class map, from sorted names, made in `examples.gather`.
- What cannot be used is a `DataError` with what, expected and fix; what can be used but weakens a number is a
  Finding; what is not used is named in `Examples.passed_over`.
- torch is never imported. The test part's examples are given out by `sealed.open_heldout` alone.

In reading order:

- `examples.py`: `Examples` and the class map.
- `walking.py`: what stands in a folder, by kind.
- `class_folders.py`, `listing_files.py`, `listings.py`, `flowers102.py`: the layouts.
- `photos.py`: any of the layouts -> `Examples`.
- `decoding.py`: bytes of a picture -> pixels, the one pixel path.
- `survey.py`: one pass over all files, each judged.
- `batches.py`: decoded pictures in seeded batches.
- `drawing.py`, `splits.py`: train, validation and test.
- `problems.py`: what weakens a score -> Findings.
- `sealed.py`: the held-out part.
"""
