-- Deletes what these jobs left for their next attempt; answers a row for each. $1 jobs
DELETE FROM checkpoints WHERE job_id IN (SELECT d.value FROM json_each($1) AS d) RETURNING 1 AS n
