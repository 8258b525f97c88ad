-- Keeps the checkpoint of an attempt that is under way, fenced by its token, and by its number: the server may carry out
-- a save that nobody waits for any more after a later one. The job is held, so that whoever ends the attempt comes before
-- or after: what is kept then is never older than what its end keeps. $1 job · $2 run · $3 number · $4 data · $5 now
INSERT INTO flyball.checkpoints AS c (job_id, run_id, number, data, saved_at)
SELECT j.id, j.lease_token, $3::bigint, $4::bytea, $5::timestamptz
FROM flyball.jobs j
WHERE j.id = $1 AND j.lease_token = $2
FOR NO KEY UPDATE
ON CONFLICT (job_id) DO UPDATE
SET run_id = excluded.run_id, number = excluded.number, data = excluded.data, saved_at = excluded.saved_at
WHERE c.run_id <> excluded.run_id OR c.number < excluded.number
