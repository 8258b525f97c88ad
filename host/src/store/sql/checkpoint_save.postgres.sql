-- Keeps the checkpoint of an attempt that is under way, fenced by its token. The job is held, so that whoever ends the
-- attempt comes before or after: what is kept then is never older than what its end keeps. $1 job · $2 run · $3 data
-- · $4 now
INSERT INTO flyball.checkpoints (job_id, run_id, data, saved_at)
SELECT j.id, j.lease_token, $3::bytea, $4::timestamptz
FROM flyball.jobs j
WHERE j.id = $1 AND j.lease_token = $2
FOR NO KEY UPDATE
ON CONFLICT (job_id) DO UPDATE
SET run_id = excluded.run_id, data = excluded.data, saved_at = excluded.saved_at
