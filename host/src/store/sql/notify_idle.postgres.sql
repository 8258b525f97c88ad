-- Rings in other processes if one of the queues has nothing that could be claimed: a node that works hears of more by
-- itself. $1 the queues, an array · $2 what to ring
SELECT pg_notify('flyball', $2)
FROM json_array_elements_text($1::json) AS q (queue)
WHERE NOT EXISTS (
    SELECT FROM flyball.jobs j
    WHERE j.queue = q.queue AND j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance)
LIMIT 1
