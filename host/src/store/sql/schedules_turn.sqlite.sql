-- There is one node, and one writer.
SELECT 1
