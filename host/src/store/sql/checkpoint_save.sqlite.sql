-- Keeps the checkpoint of an attempt that is under way, fenced by its token. $1 job · $2 run · $3 data · $4 now
INSERT INTO checkpoints (job_id, run_id, data, saved_at)
SELECT j.id, j.lease_token, $3, $4
FROM jobs j
WHERE j.id = $1 AND j.lease_token = $2
ON CONFLICT (job_id) DO UPDATE
SET run_id = excluded.run_id, data = excluded.data, saved_at = excluded.saved_at
