-- Extends deadlines: of everything that a node runs when the database's clock was stepped or the database was away,
-- else of the attempts that have ended and whose outcome waits to be stored.
-- $1 node · $2 now · $3 the step in microseconds · $4 whether of everything · $5 runs that wait to be stored
UPDATE flyball.jobs j
SET deadline_at = greatest(j.deadline_at + greatest($3::bigint, 0) * interval '1 microsecond', $2)
WHERE j.id = ANY (ARRAY(
        SELECT m.id
        FROM flyball.jobs m
        WHERE m.state = 'running' AND m.node_id = $1 AND ($4 OR m.lease_token = ANY ($5))
        ORDER BY m.id
        FOR UPDATE))
  AND j.node_id = $1
