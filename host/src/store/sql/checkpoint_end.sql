-- Keeps the checkpoint of an attempt that has ended in this transaction: none of its saves comes after it, whatever its
-- number. $1 job · $2 run · $3 data · $4 now
INSERT INTO flyball.checkpoints (job_id, run_id, number, data, saved_at)
VALUES ($1, $2, 0, $3, $4)
ON CONFLICT (job_id) DO UPDATE
SET run_id = excluded.run_id, number = excluded.number, data = excluded.data, saved_at = excluded.saved_at
