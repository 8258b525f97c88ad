-- Deletes runs of these jobs, some at a time; answers how many. $1 jobs
WITH gone AS (
    DELETE FROM flyball.job_runs r
    WHERE r.id = ANY (ARRAY(SELECT o.id FROM flyball.job_runs o WHERE o.job_id = ANY ($1) LIMIT 5000))
    RETURNING 1
)
SELECT count(*) AS n FROM gone
