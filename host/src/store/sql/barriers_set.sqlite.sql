-- Sets barriers. $1 batch: run, job, continuation · $2 now
INSERT INTO barriers (run_id, job_id, continuation, created_at)
SELECT d.value ->> 'run', d.value ->> 'job', d.value ->> 'continuation', $2
FROM json_each($1) AS d
WHERE true
ON CONFLICT DO NOTHING
