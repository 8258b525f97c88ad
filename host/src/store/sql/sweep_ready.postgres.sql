-- Whether a node may sweep: not lost, its lease in force, renewed not long ago, and steady for a lease. No row: lost.
-- $1 node · $2 now · $3 the lease before now · $4 half a lease before now
SELECT n.expires_at >= $2 AND n.steady_since <= $3 AND n.renewed_at >= $4 AS ready
FROM flyball.nodes n
WHERE n.id = $1 AND n.lost_at IS NULL
