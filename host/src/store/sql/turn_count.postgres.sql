-- How keys stand that are held: their limits, their buckets, and who has a permit, counted no further than it matters.
-- Whoever wanted these looked at has it so. $1 keys
WITH looked_at AS (
    DELETE FROM flyball.limit_turns t
    WHERE t.key = ANY (ARRAY(SELECT k.value COLLATE "C" FROM json_array_elements_text($1::json) AS k (value)))
)
SELECT
    k.key, k.level, k.filled_at, l.name, l.concurrency, l.permits, l.per_ms, l.burst,
    (SELECT count(*) FROM (
        SELECT FROM flyball.jobs j
        WHERE j.limit_key = k.key AND j.state = 'running'
          AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL)
        LIMIT coalesce(l.concurrency, 0)) c) AS running,
    (SELECT count(*) FROM (
        SELECT FROM flyball.jobs j
        WHERE j.limit_key = k.key AND j.state = 'available' AND j.blocked_by IS NULL
          AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL)
        LIMIT greatest(l.concurrency, l.burst, 0)) c) AS waiting
FROM flyball.limit_keys k
LEFT JOIN flyball.limits l ON l.name = split_part(k.key, ':', 1) AND l.path IS NOT NULL
WHERE k.key = ANY (ARRAY(SELECT k.value COLLATE "C" FROM json_array_elements_text($1::json) AS k (value)))
