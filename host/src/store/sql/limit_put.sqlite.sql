-- Adds a limit, or makes the one of this name like it; how full its bucket is stays. $1 the limit · $2 now
INSERT INTO limits (name, queue, kind, field, path, concurrency, permits, per_ms, burst, origin, filled_at)
SELECT
    d.value ->> 'name', d.value ->> 'queue', d.value ->> 'kind', d.value ->> 'field',
    -- Its names have neither quotes nor backslashes.
    (SELECT '$' || group_concat('."' || s.value || '"', '') FROM json_each(d.value, '$.path') AS s
     WHERE d.value ->> 'field' IS NOT NULL HAVING count(*) > 0),
    d.value ->> 'concurrency', d.value ->> 'permits', d.value ->> 'per_ms', d.value ->> 'burst', d.value ->> 'origin',
    $2
FROM json_each($1) AS d
WHERE true
ON CONFLICT (name) DO UPDATE SET
    queue = excluded.queue, kind = excluded.kind, field = excluded.field, path = excluded.path,
    concurrency = excluded.concurrency, permits = excluded.permits, per_ms = excluded.per_ms, burst = excluded.burst,
    origin = excluded.origin
