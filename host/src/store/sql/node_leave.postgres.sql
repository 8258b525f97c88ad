-- Takes a node out: it neither claims nor renews from now on. The row is locked FOR UPDATE, which waits for the claims
-- under way, that have it FOR KEY SHARE: what they take is seen by the statement that gives back. $1 node · $2 now
WITH me AS MATERIALIZED (SELECT n.id FROM flyball.nodes n WHERE n.id = $1 FOR UPDATE)
UPDATE flyball.nodes n
SET lost_at = $2, left_at = $2, in_flight = 0
FROM me
WHERE n.id = me.id AND n.lost_at IS NULL
