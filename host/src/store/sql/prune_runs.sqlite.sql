-- Deletes runs of these jobs, some at a time; answers a row for each. $1 jobs
DELETE FROM job_runs
WHERE rowid IN (
    SELECT o.rowid FROM json_each($1) AS d CROSS JOIN job_runs o ON o.job_id = d.value LIMIT 5000)
RETURNING 1 AS n
