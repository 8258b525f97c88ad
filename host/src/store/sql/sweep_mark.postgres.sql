-- Marks one dead node lost, unless somebody holds its row: a claim or a renewal under way, or another sweep. $1 node ·
-- $2 now
WITH dead AS MATERIALIZED (
    SELECT n.id
    FROM flyball.nodes n
    WHERE n.id = $1 AND n.lost_at IS NULL AND n.expires_at < $2
    FOR UPDATE SKIP LOCKED
)
UPDATE flyball.nodes n SET lost_at = $2 FROM dead WHERE n.id = dead.id RETURNING n.id
