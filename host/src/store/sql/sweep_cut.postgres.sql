-- Cuts leases that end further ahead than they are long: the database's clock was set back. A node's row that somebody
-- holds is left for the next sweep. $1 now
UPDATE flyball.nodes n
SET expires_at = $1::timestamptz + n.lease_ms * interval '1 millisecond'
WHERE n.id = ANY (ARRAY(
    SELECT f.id
    FROM flyball.nodes f
    WHERE f.lost_at IS NULL AND f.expires_at > $1::timestamptz + f.lease_ms * interval '1 millisecond'
    ORDER BY f.id
    FOR NO KEY UPDATE SKIP LOCKED))
