-- Puts jobs of the walk that have not ended into the lines that they belong to now; names those lines. $1 from this job on
-- · $2 and older than this one
WITH stray AS MATERIALIZED (
    SELECT s.id, s.belongs
    FROM (
        SELECT o.id, o.limit_key, {limit_key} AS belongs
        FROM flyball.jobs o
        WHERE o.id >= $1 AND o.id < $2
          AND coalesce(o.state, '') IN ('available', 'scheduled', 'running', 'retryable', 'paused')
        OFFSET 0) s
    WHERE s.belongs IS DISTINCT FROM s.limit_key
),
held AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.id = ANY (ARRAY(SELECT s.id FROM stray s))
    ORDER BY j.id
    FOR UPDATE
)
UPDATE flyball.jobs j
SET limit_key = s.belongs,
    blocked_by = CASE WHEN j.state = 'available' THEN s.belongs END
FROM stray s
WHERE j.id = ANY (ARRAY(SELECT h.id FROM held h))
  AND j.id = s.id
  AND coalesce(j.state, '') IN ('available', 'scheduled', 'running', 'retryable', 'paused')
RETURNING j.limit_key AS turn
