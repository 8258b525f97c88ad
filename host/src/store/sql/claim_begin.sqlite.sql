-- Writes the run rows of the jobs that were just claimed. $1 now · $2 grants: job, run, timeout_ms, digest.
INSERT INTO job_runs (id, job_id, attempt, node_id, executor_class, component_digest, started_at, outcome)
SELECT j.lease_token, j.id, j.attempt, j.node_id, j.executor_class, g.value ->> 'digest', $1, 'started'
FROM jsonb_each($2) AS g
CROSS JOIN jobs j ON j.id = g.value ->> 'job' AND j.lease_token = g.value ->> 'run'
