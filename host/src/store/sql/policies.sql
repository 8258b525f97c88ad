-- How long nodes keep things that take part in maintenance: those that are not lost, and for a day those that are and did
-- not come back under their name. $1 a day ago
SELECT n.id, n.name, n.retention
FROM flyball.nodes n
WHERE n.retention IS NOT NULL
  AND (n.lost_at IS NULL
       OR (n.lost_at > $1
           AND NOT EXISTS (
               SELECT 1 FROM flyball.nodes later WHERE later.name = n.name AND later.started_at > n.started_at)))
ORDER BY n.id
