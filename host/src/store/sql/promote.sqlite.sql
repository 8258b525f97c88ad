-- Makes due jobs available, those first that have waited longest; answers a row for each. $1 now · $2 how many at most
UPDATE jobs
SET state = 'available', blocked_by = limit_key
WHERE id IN (
    SELECT j.id
    FROM jobs j INDEXED BY jobs_due
    WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at <= $1
    ORDER BY j.scheduled_at, j.id
    LIMIT $2)
RETURNING 1 AS n, blocked_by AS turn
