-- Notes of keys that are held when somebody has to look at them again, if a job still waits. $1 keys, each with the time
WITH d AS MATERIALIZED (
    SELECT
        d.key COLLATE "C" AS key,
        CASE WHEN EXISTS (
            SELECT FROM flyball.jobs j
            WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by = d.key COLLATE "C")
        THEN d.next_at END AS next_at
    FROM json_to_recordset($1::json) AS d (key text, next_at timestamptz)
)
UPDATE flyball.limit_keys k
SET next_at = d.next_at
FROM d
WHERE k.key = ANY (ARRAY(SELECT d.key FROM d)) AND k.key = d.key AND k.next_at IS DISTINCT FROM d.next_at
RETURNING k.next_at
