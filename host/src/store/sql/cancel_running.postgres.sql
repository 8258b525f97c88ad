-- Asks to cancel the jobs among these that run; whoever settles them heeds it. $1 jobs · $2 now
UPDATE flyball.jobs j
SET cancel_requested_at = coalesce(j.cancel_requested_at, $2)
WHERE j.id = ANY ($1) AND j.state IS NOT DISTINCT FROM 'running'
