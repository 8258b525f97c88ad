-- Sets barriers. $1 batch: run, job, continuation · $2 now
INSERT INTO flyball.barriers (run_id, job_id, continuation, created_at)
SELECT d.run, d.job, d.continuation::json, $2
FROM json_to_recordset($1::json) AS d (run uuid, job uuid, continuation text)
ON CONFLICT DO NOTHING
