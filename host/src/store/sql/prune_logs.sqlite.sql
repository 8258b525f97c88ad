-- Deletes what attempts of these jobs logged, some of it at a time; answers a row for each line. $1 jobs
DELETE FROM run_logs
WHERE rowid IN (
    SELECT o.rowid
    FROM json_each($1) AS d
    CROSS JOIN job_runs r ON r.job_id = d.value
    CROSS JOIN run_logs o ON o.run_id = r.id
    LIMIT 5000)
RETURNING 1 AS n
