-- The lanes in which a job waits that would run without anybody's help: it is available, or due, or it has begun and
-- comes back soon. Paused queues and kinds are left out. $1 now · $2 until when
WITH RECURSIVE
-- From lane to lane by the index of the claim.
lanes (id, queue, kind, executor_class) AS (
    SELECT * FROM (
        SELECT j.id, j.queue, j.kind, j.executor_class
        FROM jobs j INDEXED BY jobs_claim
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
        ORDER BY j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
        LIMIT 1)
    UNION ALL
    SELECT j.id, j.queue, j.kind, j.executor_class
    FROM lanes h
    CROSS JOIN jobs j ON j.id = (
        SELECT n.id
        FROM jobs n INDEXED BY jobs_claim
        WHERE n.state = 'available' AND n.blocked_by IS NULL AND NOT n.last_chance
          -- As the claim's walk: all six columns, so that the index is entered behind the lane.
          AND (n.queue, n.kind, n.executor_class, n.priority, n.scheduled_at, n.id)
            > (+h.queue, +h.kind, +h.executor_class, 9223372036854775807, 9223372036854775807, '~')
        ORDER BY n.queue, n.kind, n.executor_class, n.priority, n.scheduled_at, n.id
        LIMIT 1)
)
SELECT DISTINCT w.queue, w.kind, w.executor_class
FROM (
    SELECT h.queue, h.kind, h.executor_class FROM lanes h
    UNION ALL
    SELECT j.queue, j.kind, j.executor_class
    FROM jobs j INDEXED BY jobs_last_chance
    WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
    UNION ALL
    SELECT j.queue, j.kind, j.executor_class
    FROM jobs j INDEXED BY jobs_due
    WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at <= $2
      AND (j.attempt > 0 OR j.scheduled_at <= $1)
) w
WHERE NOT EXISTS (SELECT 1 FROM queues q WHERE q.queue = w.queue AND q.paused)
  AND NOT EXISTS (SELECT 1 FROM kinds p WHERE p.kind = w.kind AND p.paused)
ORDER BY w.queue, w.kind, w.executor_class
