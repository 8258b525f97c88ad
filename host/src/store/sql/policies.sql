-- How long nodes keep things that are not lost and take part in maintenance.
SELECT n.id, n.name, n.retention
FROM flyball.nodes n
WHERE n.lost_at IS NULL AND n.retention IS NOT NULL
ORDER BY n.id
