-- A schedule has come on, and has a new last job. $1 slug · $2 cursor · $3 job · $4 now
UPDATE flyball.schedules
SET next_at = $2, last_job_id = $3, last_enqueued_at = $4, last_error = NULL
WHERE slug = $1
