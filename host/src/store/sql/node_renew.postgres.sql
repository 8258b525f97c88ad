-- Renews a node's lease, and the deadlines of its jobs with it, where the node could not be to blame for missing them.
-- One statement, so that a step of the clock is never seen by the one and lost to the other. No row: the node was marked
-- lost. What it did before decides whether it is steady: a renewal that comes later than half a lease after the one
-- before, or while the database's clock and the node's own disagree about how long that is, begins anew. $1 node ·
-- $2 a test's now, null for the database's own · $3 lease in milliseconds · $4 in flight · $5 the node's own time since
-- its last renewal, in microseconds · $6 runs that have ended and whose outcome waits to be stored
WITH old AS MATERIALIZED (
    SELECT
        n.id, t.now,
        (extract(epoch FROM (t.now - n.renewed_at)) * 1000000)::bigint - $5::bigint AS step_us,
        n.renewed_at + n.lease_ms * interval '500 microseconds' < t.now AS late
    FROM flyball.nodes n CROSS JOIN (SELECT coalesce($2, now()) AS now) t
    WHERE n.id = $1 AND n.lost_at IS NULL
    FOR NO KEY UPDATE OF n
),
judged AS MATERIALIZED (
    SELECT o.*, o.late OR abs(o.step_us) > 2000000 AS unsteady FROM old o
),
-- Of everything that the node runs when the database's clock was stepped or the database was away, else of what waits
-- to be stored. A job that somebody holds is passed over, for no renewal waits: it is about to end or to be cancelled.
mine AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.state = 'running' AND j.node_id = $1
      AND ((SELECT d.unsteady FROM judged d) OR j.lease_token = ANY ($6) AND EXISTS (SELECT FROM judged))
    ORDER BY j.id
    FOR UPDATE SKIP LOCKED
),
extended AS (
    UPDATE flyball.jobs j
    SET deadline_at = greatest(
        d.now,
        j.deadline_at + CASE WHEN d.unsteady THEN greatest(d.step_us, 0) ELSE 0 END * interval '1 microsecond')
    FROM judged d
    WHERE j.id = ANY (ARRAY(SELECT m.id FROM mine m))
)
UPDATE flyball.nodes n
SET renewed_at = d.now,
    expires_at = d.now + $3::bigint * interval '1 millisecond',
    lease_ms = $3::bigint,
    in_flight = $4,
    steady_since = CASE WHEN d.unsteady THEN d.now ELSE n.steady_since END
FROM judged d
WHERE n.id = d.id AND n.lost_at IS NULL
RETURNING coalesce($2, clock_timestamp()) AS database_time
