-- How large the tables are with their indexes, and how many dead rows they hold.
SELECT
    coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint AS bytes,
    coalesce(sum(t.n_dead_tup), 0)::bigint AS dead_rows,
    NULL::bigint AS free_bytes
FROM pg_stat_user_tables t
WHERE t.schemaname = 'flyball'
