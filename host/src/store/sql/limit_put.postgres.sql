-- Adds a limit, or makes the one of this name like it; how full its bucket is stays. $1 the limit · $2 now
INSERT INTO flyball.limits (name, queue, kind, field, path, concurrency, permits, per_ms, burst, origin, filled_at)
SELECT
    d.name, d.queue, d.kind, d.field,
    CASE WHEN d.path IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(d.path)) END,
    d.concurrency, d.permits, d.per_ms, d.burst, d.origin, $2::timestamptz
FROM json_to_recordset($1::json) AS d (
    name text, queue text, kind text, field text, path json, concurrency integer, permits integer, per_ms bigint,
    burst integer, origin text)
ON CONFLICT (name) DO UPDATE SET
    queue = excluded.queue, kind = excluded.kind, field = excluded.field, path = excluded.path,
    concurrency = excluded.concurrency, permits = excluded.permits, per_ms = excluded.per_ms, burst = excluded.burst,
    origin = excluded.origin
