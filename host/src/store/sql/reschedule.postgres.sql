-- Makes the jobs among these that wait due at another time; answers those that it changed. What waits for its next
-- attempt stays so until the promoter finds it due, and what was set aside until it is resumed. $1 jobs · $2 now ·
-- $3 when they are due
UPDATE flyball.jobs j
SET scheduled_at = $3::timestamptz,
    state = CASE
        WHEN j.state IN ('retryable', 'paused') THEN j.state
        WHEN $3::timestamptz <= $2::timestamptz THEN 'available'
        ELSE 'scheduled'
    END,
    -- What was let through stays so; what becomes due goes into its line.
    blocked_by = CASE
        WHEN j.state IN ('available', 'scheduled') AND $3::timestamptz <= $2::timestamptz
        THEN CASE j.state WHEN 'available' THEN j.blocked_by ELSE j.limit_key END
    END
WHERE j.id = ANY ($1)
  AND j.state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING j.id, j.state, j.limit_key AS turn
