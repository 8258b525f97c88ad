-- How large the file is, and how much of it is free to be used again.
SELECT c.page_count * s.page_size AS bytes, NULL AS dead_rows, f.freelist_count * s.page_size AS free_bytes
FROM pragma_page_count AS c, pragma_page_size AS s, pragma_freelist_count AS f
