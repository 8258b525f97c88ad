-- Renews a node's lease. No row: the node was marked lost. What it did before decides whether it is steady: a renewal
-- that comes later than half a lease after the one before, or while the database's clock and the node's own disagree
-- about how long that is, begins anew. $1 node · $2 a test's now, null for the database's own · $3 lease in
-- milliseconds · $4 in flight · $5 the node's own time since its last renewal, in microseconds
WITH old AS MATERIALIZED (
    SELECT
        n.id, t.now,
        (extract(epoch FROM (t.now - n.renewed_at)) * 1000000)::bigint - $5::bigint AS step_us,
        n.renewed_at + n.lease_ms * interval '500 microseconds' < t.now AS late
    FROM flyball.nodes n CROSS JOIN (SELECT coalesce($2, now()) AS now) t
    WHERE n.id = $1 AND n.lost_at IS NULL
    FOR NO KEY UPDATE OF n
)
UPDATE flyball.nodes n
SET renewed_at = old.now,
    expires_at = old.now + $3::bigint * interval '1 millisecond',
    lease_ms = $3::bigint,
    in_flight = $4,
    steady_since = CASE WHEN old.late OR abs(old.step_us) > 2000000 THEN old.now ELSE n.steady_since END
FROM old
WHERE n.id = old.id AND n.lost_at IS NULL
RETURNING
    coalesce($2, clock_timestamp()) AS database_time,
    old.late OR abs(old.step_us) > 2000000 AS unsteady,
    old.step_us
