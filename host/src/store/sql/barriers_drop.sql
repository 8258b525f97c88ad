-- Drops the barriers of a job that have not fired. $1 job
DELETE FROM flyball.barriers WHERE job_id = $1
