-- The checkpoint of a job. $1 job
SELECT c.data FROM flyball.checkpoints c WHERE c.job_id = $1
