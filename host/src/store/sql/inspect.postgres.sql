-- The objects of the schema, and how the server says that each is defined. One that is not sound is there, and does not do
-- its work: an index that is not valid, a constraint that was never checked, a trigger that is switched off.
SELECT o.object, o.definition, o.sound
FROM (
    SELECT
        'table ' || c.relname::text AS object,
        CASE c.relpersistence WHEN 'p' THEN 'a table' ELSE 'a table that does not survive a crash' END AS definition,
        true AS sound
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'flyball' AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT
        'column ' || c.relname::text || '.' || a.attname::text,
        pg_catalog.format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || l.collname::text ELSE '' END
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || CASE WHEN d.oid IS NULL THEN ''
                WHEN a.attgenerated <> '' THEN ' GENERATED ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                ELSE ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
        true
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE n.nspname = 'flyball' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    -- Not those that newer servers keep for NOT NULL: the columns say that.
    SELECT
        'constraint ' || c.relname::text || '.' || k.conname::text, pg_catalog.pg_get_constraintdef(k.oid),
        k.convalidated
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'flyball' AND k.contype IN ('p', 'u', 'c', 'f', 'x')
    UNION ALL
    SELECT 'index ' || x.relname::text, pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
    WHERE n.nspname = 'flyball'
    UNION ALL
    SELECT
        'function ' || p.proname::text || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
        'LANGUAGE ' || l.lanname::text || ' RETURNS ' || pg_catalog.pg_get_function_result(p.oid)
            || ' ' || p.provolatile::text || p.proparallel::text
            || CASE WHEN p.proisstrict THEN ' STRICT' ELSE '' END
            || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END
            || coalesce(' SET ' || pg_catalog.array_to_string(p.proconfig, ' SET '), '')
            || ' ARGUMENTS ' || pg_catalog.md5(pg_catalog.pg_get_function_arguments(p.oid))
            || ' BODY ' || pg_catalog.md5(p.prosrc),
        true
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE n.nspname = 'flyball' AND p.prokind = 'f'
    UNION ALL
    SELECT
        'trigger ' || c.relname::text || '.' || g.tgname::text, pg_catalog.pg_get_triggerdef(g.oid),
        g.tgenabled <> 'D'
    FROM pg_catalog.pg_trigger g
    JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'flyball' AND NOT g.tgisinternal
) o
ORDER BY o.object COLLATE "C"
