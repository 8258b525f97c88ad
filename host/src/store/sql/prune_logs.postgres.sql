-- Deletes what attempts of these jobs logged, some of it at a time; answers how much. $1 jobs
WITH gone AS (
    DELETE FROM flyball.run_logs l
    WHERE l.ctid = ANY (ARRAY(
        SELECT o.ctid
        FROM flyball.job_runs r
        JOIN flyball.run_logs o ON o.run_id = r.id
        WHERE r.job_id = ANY ($1)
        LIMIT 5000))
    RETURNING 1
)
SELECT count(*) AS n FROM gone
