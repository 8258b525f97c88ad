-- The objects of the schema, and how each is defined: as it was written, and the columns of tables one by one.
SELECT s.type || ' ' || s.name AS object, s.sql AS definition
FROM sqlite_schema s
WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite%'
UNION ALL
SELECT
    'column ' || s.name || '.' || c.name,
    c.type || CASE WHEN c."notnull" THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || c.dflt_value, '')
        || CASE WHEN c.hidden > 0 THEN ' GENERATED' ELSE '' END
FROM sqlite_schema s
JOIN pragma_table_xinfo(s.name) c
WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite%'
ORDER BY 1
