-- The nodes whose lease has passed. $1 now
SELECT n.id FROM flyball.nodes n WHERE n.lost_at IS NULL AND n.expires_at < $1 ORDER BY n.id
