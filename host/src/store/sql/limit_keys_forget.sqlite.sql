-- Forgets keys that no job has and whose buckets are full: what is not remembered of a key is that. $1 now
DELETE FROM limit_keys
WHERE key IN (
    SELECT k.key
    FROM limit_keys k
    LEFT JOIN limits l ON l.name = substr(k.key, 1, instr(k.key, ':') - 1) AND l.path IS NOT NULL
    WHERE k.next_at IS NULL
      AND coalesce(k.level + ($1 - k.filled_at) / 1000.0 * l.permits / l.per_ms >= l.burst, true)
      AND NOT EXISTS (
          SELECT 1 FROM jobs j INDEXED BY jobs_permits
          WHERE j.limit_key = k.key
            AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL))
      AND NOT EXISTS (
          SELECT 1 FROM jobs j INDEXED BY jobs_blocked
          WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by = k.key)
    LIMIT 1000)
RETURNING key
