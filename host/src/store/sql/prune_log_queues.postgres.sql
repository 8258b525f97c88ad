-- The queues that runs were in. $1 runs
SELECT r.id, j.queue
FROM flyball.job_runs r
JOIN flyball.jobs j ON j.id = r.job_id
WHERE r.id = ANY ($1)
