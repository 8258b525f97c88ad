-- How keys stand: their limits, their buckets, and who has a permit. $1 keys
SELECT
    g.value AS key, coalesce(k.level, 9e999) AS level, k.filled_at, l.name, l.concurrency, l.permits, l.per_ms, l.burst,
    (SELECT count(*) FROM jobs j INDEXED BY jobs_permits
     WHERE j.limit_key = g.value AND j.state = 'running'
       AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL)) AS running,
    (SELECT count(*) FROM jobs j INDEXED BY jobs_permits
     WHERE j.limit_key = g.value AND j.state = 'available' AND j.blocked_by IS NULL
       AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL)) AS waiting
FROM json_each($1) AS g
LEFT JOIN limit_keys k ON k.key = g.value
LEFT JOIN limits l ON l.name = substr(g.value, 1, instr(g.value, ':') - 1) AND l.path IS NOT NULL
