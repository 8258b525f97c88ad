-- When the next job becomes due that is not due yet, or the next token comes for which a job waits. $1 now
SELECT d.at AS scheduled_at
FROM (
    SELECT * FROM (
        SELECT j.scheduled_at AS at
        FROM jobs j INDEXED BY jobs_due
        WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at > $1
        ORDER BY j.scheduled_at
        LIMIT 1) AS due
    UNION ALL
    SELECT * FROM (
        SELECT k.next_at
        FROM limit_keys k
        WHERE k.next_at IS NOT NULL AND k.next_at > $1
        ORDER BY k.next_at
        LIMIT 1) AS token) AS d
ORDER BY d.at
LIMIT 1
