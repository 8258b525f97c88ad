-- Lets the next jobs of keys through, in their order: from job to job of each line by the index. $1 keys, each with how many
-- at most
WITH RECURSIVE next (key, left, id, priority, scheduled_at) AS (
    SELECT d.value ->> 'key', (d.value ->> 'room') - 1, j.id, j.priority, j.scheduled_at
    FROM json_each($1) AS d
    CROSS JOIN jobs j ON j.id = (
        SELECT n.id
        FROM jobs n INDEXED BY jobs_blocked
        WHERE n.state = 'available' AND n.blocked_by IS NOT NULL AND n.blocked_by = d.value ->> 'key'
        ORDER BY n.priority, n.scheduled_at, n.id
        LIMIT 1)
    UNION ALL
    SELECT w.key, w.left - 1, j.id, j.priority, j.scheduled_at
    FROM next w
    CROSS JOIN jobs j ON j.id = (
        SELECT n.id
        FROM jobs n INDEXED BY jobs_blocked
        WHERE n.state = 'available' AND n.blocked_by IS NOT NULL AND n.blocked_by = w.key
          AND (n.priority, n.scheduled_at, n.id) > (+w.priority, +w.scheduled_at, +w.id)
        ORDER BY n.priority, n.scheduled_at, n.id
        LIMIT 1)
    WHERE w.left > 0
)
UPDATE jobs
SET blocked_by = NULL
WHERE id IN (SELECT x.id FROM next x)
RETURNING limit_key AS key
