-- The first jobs of the lanes that are served, by the order over all lanes. It goes from lane to lane by the index for
-- the head of each, and merges the lanes: what comes first is answered, and its successor in its lane takes its place.
--
-- $1 queue, null for every queue · $2 kinds served · $3 executor classes, null for every class · $4 how many. The walk
-- of last chances is this text with the other index and its half of the condition.
WITH RECURSIVE
heads (id, queue, kind, executor_class, priority, scheduled_at) AS (
    SELECT * FROM (
        SELECT j.id, j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at
        FROM jobs j INDEXED BY jobs_claim
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance AND j.queue >= coalesce($1, '')
        ORDER BY j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
        LIMIT 1)
    UNION ALL
    SELECT j.id, j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at
    FROM heads h
    CROSS JOIN jobs j ON j.id = (
        SELECT n.id
        FROM jobs n INDEXED BY jobs_claim
        WHERE n.state = 'available' AND n.blocked_by IS NULL AND NOT n.last_chance
          -- All six columns, so that the index is entered behind the lane and not at its head: SQLite enters at ">=".
          -- The plus takes the affinity from a column, without which it compares by the index on the first alone.
          AND (n.queue, n.kind, n.executor_class, n.priority, n.scheduled_at, n.id)
            > (+h.queue, +h.kind, +h.executor_class, 9223372036854775807, 9223372036854775807, '~')
        ORDER BY n.queue, n.kind, n.executor_class, n.priority, n.scheduled_at, n.id
        LIMIT 1)
    WHERE $1 IS NULL OR h.queue = $1
),
walk (id, queue, kind, executor_class, priority, scheduled_at) AS (
    SELECT h.id, h.queue, h.kind, h.executor_class, h.priority, h.scheduled_at
    FROM heads h
    WHERE ($1 IS NULL OR h.queue = $1)
      AND h.kind IN (SELECT k.value ->> 'kind' FROM json_each($2) AS k)
      AND ($3 IS NULL OR h.executor_class IN (SELECT c.value FROM json_each($3) AS c))
      AND NOT EXISTS (SELECT 1 FROM kinds p WHERE p.kind = h.kind AND p.paused)
      AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.queue = h.queue AND q.paused)
    UNION ALL
    SELECT j.id, j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at
    FROM walk w
    CROSS JOIN jobs j ON j.id = (
        SELECT n.id
        FROM jobs n INDEXED BY jobs_claim
        WHERE n.state = 'available' AND n.blocked_by IS NULL AND NOT n.last_chance
          AND n.queue = w.queue AND n.kind = w.kind AND n.executor_class = w.executor_class
          AND (n.priority, n.scheduled_at, n.id) > (+w.priority, +w.scheduled_at, +w.id)
        ORDER BY n.priority, n.scheduled_at, n.id
        LIMIT 1)
    ORDER BY 5, 6, 1
    LIMIT $4
)
SELECT
    w.id, w.kind, w.priority, w.scheduled_at,
    (SELECT b.args_bytes FROM jobs b WHERE b.id = w.id) AS args_bytes
FROM walk w
