-- Drops the checkpoints of jobs that need none any more. $1 jobs
DELETE FROM checkpoints WHERE job_id IN (SELECT d.value FROM json_each($1) AS d)
