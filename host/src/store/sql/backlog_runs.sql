-- A run for each row that was enqueued as ended, to measure beside.
INSERT INTO flyball.job_runs (id, job_id, attempt, node_id, started_at, finished_at, outcome, settled_by)
SELECT j.id, j.id, 1, j.id, j.created_at, j.created_at, 'success', 'owner'
FROM flyball.jobs j
WHERE j.state = 'succeeded'
