-- Asks to cancel the jobs among these that run; whoever settles them heeds it. $1 jobs · $2 now
UPDATE jobs
SET cancel_requested_at = coalesce(cancel_requested_at, $2)
WHERE id IN (SELECT d.value FROM json_each($1) AS d) AND +state = 'running'
