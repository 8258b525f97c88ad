-- The newest failures, each the last run of its job: of the jobs that were given up, and of those that wait for their
-- next attempt. $1 since · $2 kind, null for any · $3 how many at most · $4 how many jobs are looked at, of those given up
-- last and of those due next
SELECT
    f.id AS job_id, f.kind, f.queue, f.state, r.id AS run_id, r.attempt, r.outcome, r.error_class, r.error_message,
    r.finished_at
FROM (
    SELECT * FROM (
        SELECT j.id, j.kind, j.queue, j.state, j.attempt
        FROM jobs j INDEXED BY jobs_finalized
        WHERE j.state IN ('succeeded', 'cancelled', 'discarded') AND j.state = 'discarded' AND j.finalized_at >= $1
        ORDER BY j.finalized_at DESC, j.id DESC
        LIMIT $4)
    UNION ALL
    SELECT * FROM (
        SELECT j.id, j.kind, j.queue, j.state, j.attempt
        FROM jobs j INDEXED BY jobs_due
        WHERE j.state IN ('scheduled', 'retryable')
        ORDER BY j.scheduled_at, j.id
        LIMIT $4)
) f
CROSS JOIN job_runs r ON r.job_id = f.id AND r.attempt = f.attempt
WHERE f.state IN ('discarded', 'retryable')
  AND ($2 IS NULL OR f.kind = $2)
  AND r.finished_at >= $1
ORDER BY r.finished_at DESC, r.id DESC
LIMIT $3
