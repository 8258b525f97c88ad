-- Enters a node; nothing happens to one that is there. $1 id · $2 name · $3 pid · $4 version · $5 concurrency ·
-- $6 serves · $7 lease in milliseconds · $8 now · $9 how long it keeps things
INSERT INTO nodes (id, name, pid, version, concurrency, serves, lease_ms, retention, started_at, renewed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $9, $8, $8)
ON CONFLICT (id) DO NOTHING
