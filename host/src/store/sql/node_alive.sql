-- Whether a node is there and not marked lost: a row if so. $1 node
SELECT n.id FROM flyball.nodes n WHERE n.id = $1 AND n.lost_at IS NULL
