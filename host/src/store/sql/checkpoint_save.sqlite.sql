-- Keeps the checkpoint of an attempt that is under way, fenced by its token, and by its number: a save that comes late
-- takes the place of none that came after it. $1 job · $2 run · $3 number · $4 data · $5 now
INSERT INTO checkpoints AS c (job_id, run_id, number, data, saved_at)
SELECT j.id, j.lease_token, $3, $4, $5
FROM jobs j
WHERE j.id = $1 AND j.lease_token = $2
ON CONFLICT (job_id) DO UPDATE
SET run_id = excluded.run_id, number = excluded.number, data = excluded.data, saved_at = excluded.saved_at
WHERE c.run_id <> excluded.run_id OR c.number < excluded.number
