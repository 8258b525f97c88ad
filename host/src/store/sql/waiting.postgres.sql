-- The lanes in which a job waits that would run without anybody's help: it is available, or due, or it has begun and
-- comes back soon. Paused queues and kinds are left out. $1 now · $2 until when
WITH RECURSIVE
-- From lane to lane by the index of the claim.
lanes AS (
    (SELECT j.queue, j.kind, j.executor_class
     FROM flyball.jobs j
     WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
     ORDER BY j.queue, j.kind, j.executor_class
     LIMIT 1)
    UNION ALL
    SELECT n.* FROM lanes l CROSS JOIN LATERAL (
        SELECT j.queue, j.kind, j.executor_class
        FROM flyball.jobs j
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
          AND (j.queue, j.kind, j.executor_class) > (l.queue, l.kind, l.executor_class)
        ORDER BY j.queue, j.kind, j.executor_class
        LIMIT 1) n
)
SELECT DISTINCT w.queue, w.kind, w.executor_class
FROM (
    SELECT l.queue, l.kind, l.executor_class FROM lanes l
    UNION ALL
    SELECT j.queue, j.kind, j.executor_class
    FROM flyball.jobs j
    WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
    UNION ALL
    SELECT j.queue, j.kind, j.executor_class
    FROM flyball.jobs j
    WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at <= $2
      AND (j.attempt > 0 OR j.scheduled_at <= $1)
) w
WHERE NOT EXISTS (SELECT FROM flyball.queues q WHERE q.queue = w.queue AND q.paused)
  AND NOT EXISTS (SELECT FROM flyball.kinds p WHERE p.kind = w.kind AND p.paused)
ORDER BY w.queue, w.kind, w.executor_class
