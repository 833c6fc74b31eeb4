"""Where the bytes are: a folder, an archive read in place, an address.

In reading order: `walking` (what stands in a folder, by kind), `sources` (`Source`, and `FolderSource`),
`random_access` and `member_names` (what archives are read from, and which names they may hold), `zip_files`,
`inflating`, `tar_files` and `archives`, `remote` (addresses such as s3://bucket/photos).
"""
