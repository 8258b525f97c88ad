-- Puts jobs of the walk that have not ended into the lines that they belong to now; names those lines. $1 from this job on
-- · $2 and older than this one
UPDATE jobs
SET limit_key = s.belongs,
    blocked_by = CASE WHEN state = 'available' THEN s.belongs END
FROM (
    SELECT o.id AS job, {limit_key} AS belongs
    FROM jobs o
    WHERE o.id >= $1 AND o.id < $2 AND +o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')) AS s
WHERE jobs.id = s.job AND s.belongs IS NOT jobs.limit_key
RETURNING limit_key AS turn
