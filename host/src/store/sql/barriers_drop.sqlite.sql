-- Drops the barriers that these jobs have set and that have not fired. $1 jobs
DELETE FROM barriers
WHERE job_id IN (SELECT d.value FROM json_each($1) AS d)
RETURNING run_id
