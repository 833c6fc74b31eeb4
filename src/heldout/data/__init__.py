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

- `examples.py`: `Examples` and the class map.
- `walking.py`: what stands in a folder, by kind.
- `sources.py`: where the bytes are: `Source`, and `FolderSource`.
- `random_access.py`, `member_names.py`: what archives are read from, and which names they may hold.
- `zip_files.py`, `inflating.py`, `tar_files.py`, `archives.py`: archives, read in place.
- `remote.py`: addresses such as s3://bucket/photos.
- `groups.py`: which examples must not be parted.
- `class_folders.py`, `listing_files.py`, `listings.py`, `flowers102.py`: the layouts.
- `photos.py`: any of the layouts -> `Examples`.
- `decoding.py`: bytes of a picture -> pixels, the one pixel path.
- `survey.py`: one pass over all files, each judged.
- `appearance.py`: what a picture looks like, in a few numbers.
- `batches.py`: decoded pictures in seeded batches.
- `imbalance.py`: what an example of a rare class weighs.
- `keyed_shuffle.py`, `decks.py`, `balanced_batches.py`: batches with each class equally often, of any number of labels.
- `likeness.py`: what near copies of a picture have in common, and how alike two are.
- `candidates.py`, `near_duplicates.py`: pairs of near copies and their clusters.
- `drawing.py`, `splits.py`: train, validation and test; `folds.py`: folds for cross-validation.
- `small_classes.py`: classes with too few examples for every part -> a Finding.
- `problems.py`: what weakens a score -> Findings.
- `near_problems.py`: near copies -> Findings.
- `oddities.py`, `overlays.py`: odd pictures, and looks and marks that go with a class -> Findings.
- `text_files.py`, `table_text.py`, `table_files.py`: files of rows, and what speaks Arrow -> Arrow tables of plain
  types.
- `column_values.py`, `row_bytes.py`: a column as numbers or words; a row as bytes, and which rows are equal.
- `table_labels.py`, `table_columns.py`, `tables.py`: rows -> `Examples`, with a `TableSource`.
- `encoding.py`, `encoder_records.py`: rows -> features, by what train says of each column.
- `column_leaks.py`, `column_problems.py`, `table_problems.py`: what a table says against a score -> Findings.
- `sealed.py`: the held-out part.
"""
