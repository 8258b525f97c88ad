-- The queues that runs were in. $1 runs
SELECT r.id, j.queue
FROM json_each($1) AS d
CROSS JOIN job_runs r ON r.id = d.value
CROSS JOIN jobs j ON j.id = r.job_id
