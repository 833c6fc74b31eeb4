"""Files of rows, and what speaks Arrow -> `Examples` and features.

In reading order: `text_files`, `table_text`, `table_files` (-> Arrow tables of plain types), `column_values` and
`row_bytes` (a column as numbers or words; a row as bytes, and which rows are equal), `table_labels`, `table_columns`
and `tables` (-> `Examples`, with a `TableSource`), `encoding` and `encoder_records` (-> features, by what train says of
each column), `column_leaks`, `column_problems` and `table_problems` (Findings),
`column_looks`, `row_copies` and `table_looks` (what a page shows).
"""
