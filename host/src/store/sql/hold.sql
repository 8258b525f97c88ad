-- Takes or renews the lease of an activity: a row if it is had. One that ends further ahead than it is long is cut, as
-- the clock was set back. $1 name · $2 node · $3 now · $4 when the lease would end
INSERT INTO flyball.maintenance AS m (name, node_id, expires_at)
SELECT $1, $2, $4
WHERE EXISTS (SELECT 1 FROM flyball.nodes n WHERE n.id = $2 AND n.lost_at IS NULL)
ON CONFLICT (name) DO UPDATE
SET node_id = CASE WHEN m.node_id = $2 OR m.expires_at < $3 THEN $2 ELSE m.node_id END,
    expires_at = $4
WHERE m.node_id = $2 OR m.expires_at < $3 OR m.expires_at > $4
RETURNING node_id
