-- Deletes these jobs, which are held; answers how many. $1 jobs
WITH gone AS (DELETE FROM flyball.jobs j WHERE j.id = ANY ($1) RETURNING 1)
SELECT count(*) AS n FROM gone
