-- Notes of keys when somebody has to look at them again, if a job still waits. $1 keys, each with the time
INSERT INTO limit_keys (key, filled_at, next_at)
SELECT d.value ->> 'key', 0, CASE WHEN EXISTS (
    SELECT 1 FROM jobs j INDEXED BY jobs_blocked
    WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by = d.value ->> 'key')
    THEN d.value ->> 'next_at' END
FROM json_each($1) AS d
WHERE true
ON CONFLICT (key) DO UPDATE SET next_at = excluded.next_at
RETURNING next_at
