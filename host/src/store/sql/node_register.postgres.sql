-- Enters a node; nothing happens to one that is there. $1 id · $2 name · $3 pid · $4 version · $5 concurrency ·
-- $6 serves · $7 lease in milliseconds · $8 a test's now, null for the database's own · $9 how long it keeps things
INSERT INTO flyball.nodes (
    id, name, pid, version, concurrency, serves, lease_ms, retention, started_at, renewed_at, steady_since, expires_at)
SELECT
    $1, $2, $3, $4, $5, $6::json, $7::bigint, $9::json, t.now, t.now, t.now, t.now + $7::bigint * interval '1 millisecond'
FROM (SELECT coalesce($8, now()) AS now) t
ON CONFLICT (id) DO NOTHING
