-- What a claim must know first: whether the node is alive, whether last chances wait (two at most are counted), and
-- what these run ids claimed at an earlier try; and which queues have jobs that may be claimed, from one to the next by
-- the index.
--
-- $1 node · $2 run ids · $3 kinds served · $4 queues, null for every queue · $5 executor classes, null for every class
SELECT
    EXISTS (SELECT 1 FROM nodes n WHERE n.id = $1 AND n.lost_at IS NULL) AS alive,
    (SELECT count(*) FROM (
        SELECT 1 FROM jobs j INDEXED BY jobs_last_chance
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
          AND j.kind IN (SELECT k.value ->> 'kind' FROM json_each($3) AS k)
          AND ($4 IS NULL OR j.queue IN (SELECT q.value FROM json_each($4) AS q))
          AND ($5 IS NULL OR j.executor_class IN (SELECT c.value FROM json_each($5) AS c))
          AND NOT EXISTS (SELECT 1 FROM kinds p WHERE p.kind = j.kind AND p.paused)
          AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.queue = j.queue AND q.paused)
        LIMIT 2)) AS last_chances,
    (
        WITH RECURSIVE lines (queue) AS (
            SELECT min(m.queue)
            FROM jobs m INDEXED BY jobs_claim
            WHERE m.state = 'available' AND m.blocked_by IS NULL AND NOT m.last_chance
            UNION ALL
            SELECT (
                SELECT min(m.queue)
                FROM jobs m INDEXED BY jobs_claim
                WHERE m.state = 'available' AND m.blocked_by IS NULL AND NOT m.last_chance AND m.queue > f.queue)
            FROM lines f
            WHERE f.queue IS NOT NULL
        )
        SELECT json_group_array(f.queue) FROM lines f WHERE f.queue IS NOT NULL) AS queues,
    c.*
FROM (SELECT 1) AS always
LEFT JOIN (
    SELECT
        j.lease_token, j.id, j.kind, j.queue, j.executor_class, j.args, j.priority, j.attempt, j.failures, j.crashes,
        j.releases, j.snoozes, j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms,
        j.backoff_cap_ms, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.created_at, j.scheduled_at,
        j.deadline_at, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard IS NOT NULL AS on_discard,
        j.limit_key IS NOT NULL AS limited,
        j.attempt > 1 AND EXISTS (SELECT 1 FROM checkpoints p WHERE p.job_id = j.id) AS checkpoint
    FROM json_each($2) AS g
    CROSS JOIN job_runs r ON r.id = g.value
    CROSS JOIN jobs j ON j.id = r.job_id AND j.lease_token = r.id AND j.node_id = $1
) c ON true
