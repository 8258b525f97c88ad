-- Deletes what these jobs left for their next attempt; answers how many. $1 jobs
WITH gone AS (DELETE FROM flyball.checkpoints j WHERE j.job_id = ANY ($1) RETURNING 1)
SELECT count(*) AS n FROM gone
