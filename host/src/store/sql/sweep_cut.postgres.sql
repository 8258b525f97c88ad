-- Cuts leases that end further ahead than they are long: the database's clock was set back. $1 now
UPDATE flyball.nodes n
SET expires_at = $1::timestamptz + n.lease_ms * interval '1 millisecond'
WHERE n.lost_at IS NULL AND n.expires_at > $1::timestamptz + n.lease_ms * interval '1 millisecond'
