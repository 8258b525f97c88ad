-- Lets the jobs among these go on that were set aside; answers those that it moved. $1 jobs · $2 now
UPDATE jobs
SET state = CASE WHEN scheduled_at <= $2 THEN 'available' ELSE 'scheduled' END,
    blocked_by = CASE WHEN scheduled_at <= $2 THEN limit_key END
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state = 'paused'
RETURNING id, state, limit_key AS turn
