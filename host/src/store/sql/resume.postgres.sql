-- Lets the jobs among these go on that were set aside; answers those that it moved. $1 jobs · $2 now
UPDATE flyball.jobs j
SET state = CASE WHEN j.scheduled_at <= $2 THEN 'available' ELSE 'scheduled' END,
    blocked_by = CASE WHEN j.scheduled_at <= $2 THEN j.limit_key END
WHERE j.id = ANY ($1)
  -- Not `=`: that would lead through the index of what is set aside.
  AND j.state IS NOT DISTINCT FROM 'paused'
RETURNING j.id, j.state, j.limit_key AS turn
