-- Drops the checkpoints of jobs that need none any more. $1 jobs
DELETE FROM flyball.checkpoints c WHERE c.job_id = ANY ($1)
