-- Lets the next jobs of keys through that are held, in their order; those that somebody else holds are passed over, who
-- looks at the key when he is through. $1 keys, each with how many at most
WITH next AS MATERIALIZED (
    SELECT n.id
    FROM json_to_recordset($1::json) AS d (key text, room integer)
    CROSS JOIN LATERAL (
        SELECT j.id
        FROM flyball.jobs j
        WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by = d.key COLLATE "C"
        ORDER BY j.priority, j.scheduled_at, j.id
        LIMIT d.room
        FOR UPDATE SKIP LOCKED) n
)
UPDATE flyball.jobs j
SET blocked_by = NULL
WHERE j.id = ANY (ARRAY(SELECT n.id FROM next n))
RETURNING j.limit_key AS key
