-- Makes the jobs among these that wait due at another time; answers those that it changed. What waits for its next
-- attempt stays so until the promoter finds it due, and what was set aside until it is resumed. $1 jobs · $2 now ·
-- $3 when they are due
UPDATE jobs
SET scheduled_at = $3,
    state = CASE
        WHEN state IN ('retryable', 'paused') THEN state
        WHEN $3 <= $2 THEN 'available'
        ELSE 'scheduled'
    END,
    -- What was let through stays so; what becomes due goes into its line.
    blocked_by = CASE
        WHEN state IN ('available', 'scheduled') AND $3 <= $2
        THEN CASE state WHEN 'available' THEN blocked_by ELSE limit_key END
    END
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING id, state, limit_key AS turn
