-- The nodes, newest first.
SELECT
    n.id, n.name, n.pid, n.version, n.started_at, n.expires_at, n.steady_since, n.lost_at, n.left_at, n.serves,
    n.kinds, n.retention, n.concurrency, n.in_flight
FROM flyball.nodes n
ORDER BY n.started_at DESC, n.id DESC
LIMIT 1000
