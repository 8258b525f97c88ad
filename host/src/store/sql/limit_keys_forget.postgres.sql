-- Forgets keys that no job has and whose buckets are full: what is not remembered of a key is that. $1 now
DELETE FROM flyball.limit_keys
WHERE key = ANY (ARRAY(
    SELECT k.key
    FROM flyball.limit_keys k
    LEFT JOIN flyball.limits l ON l.name = split_part(k.key, ':', 1) AND l.path IS NOT NULL
    WHERE k.next_at IS NULL
      AND coalesce(
          k.level + extract(epoch FROM $1::timestamptz - k.filled_at)::double precision * 1000 * l.permits / l.per_ms
              >= l.burst,
          true)
      AND NOT EXISTS (
          SELECT FROM flyball.jobs j
          WHERE j.limit_key = k.key
            AND j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL))
      AND NOT EXISTS (
          SELECT FROM flyball.jobs j
          WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by = k.key)
    LIMIT 1000
    FOR UPDATE OF k SKIP LOCKED))
RETURNING key
