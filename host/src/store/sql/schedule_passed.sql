-- A schedule has come on without a job. $1 slug · $2 cursor
UPDATE flyball.schedules SET next_at = $2, last_error = NULL WHERE slug = $1
