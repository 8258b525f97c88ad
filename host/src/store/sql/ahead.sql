-- How many jobs of a lane come before one, counted no further than asked. $1 queue · $2 kind · $3 executor class · $4, $5,
-- $6 the one: priority, when it is due, id · $7 how many at most
SELECT count(*) AS n
FROM (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
      AND j.queue = $1 AND j.kind = $2 AND j.executor_class = $3
      AND (j.priority, j.scheduled_at, j.id) < ($4, $5, $6)
    LIMIT $7
) g
