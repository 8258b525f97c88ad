-- Claims due jobs for a node, and writes their run rows: one statement, so one transaction and one round trip.
--
-- $1 node · $2 run ids, which are the lease tokens · $3 now · $4 kinds served · $5 room by queue, null for every queue
-- · $6 executor classes, null for every class · $7 bytes of args that the answer may carry · $8 queues that differ from
-- others in their share of the slots: ahead, cost · $9 what a job of any other queue costs. The claim of last chances is
-- this text with the other half of the index's condition.
WITH RECURSIVE
-- The node, held against being marked lost until this commits.
me AS MATERIALIZED (
    SELECT n.id FROM flyball.nodes n WHERE n.id = $1 AND n.lost_at IS NULL FOR KEY SHARE
),
served AS MATERIALIZED (
    SELECT k.kind, k.timeout_ms, k.digest
    FROM json_to_recordset($4::json) AS k (kind text, timeout_ms bigint, digest text)
    WHERE NOT EXISTS (SELECT FROM flyball.kinds p WHERE p.kind = k.kind AND p.paused)
),
rooms AS MATERIALIZED (
    SELECT r.queue, r.room FROM json_to_recordset(coalesce($5, '[]')::json) AS r (queue text, room bigint)
),
shares AS MATERIALIZED (
    SELECT s.queue, s.ahead, s.cost
    FROM json_to_recordset(coalesce($8, '[]')::json) AS s (queue text, ahead bigint, cost bigint)
),
classes AS MATERIALIZED (
    SELECT c.value FROM json_array_elements_text(coalesce($6, '[]')::json) AS c (value)
),
-- What these ids claimed at an earlier try, whose answer was lost.
prior AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.id = ANY (ARRAY(SELECT r.job_id FROM flyball.job_runs r WHERE r.id = ANY ($2::uuid[])))
      AND j.lease_token = ANY ($2)
      AND j.node_id = $1
),
-- The head of every lane that has jobs, from lane to lane by the index.
lanes AS (
    (SELECT j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
     FROM flyball.jobs j
     WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
       AND EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM prior)
     ORDER BY j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
     LIMIT 1)
    UNION ALL
    SELECT n.* FROM lanes l CROSS JOIN LATERAL (
        SELECT j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
        FROM flyball.jobs j
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
          AND (j.queue, j.kind, j.executor_class) > (l.queue, l.kind, l.executor_class)
        ORDER BY j.queue, j.kind, j.executor_class, j.priority, j.scheduled_at, j.id
        LIMIT 1) n
),
-- The lanes that this node serves. A queue's room is filled from as many lanes as it has places, at most.
asked AS MATERIALIZED (
    SELECT
        l.queue, l.kind, l.executor_class, l.room,
        coalesce((SELECT s.ahead FROM shares s WHERE s.queue = l.queue), 0) AS ahead,
        coalesce((SELECT s.cost FROM shares s WHERE s.queue = l.queue), $9) AS cost
    FROM (
        SELECT
            l.*,
            least(coalesce((SELECT r.room FROM rooms r WHERE r.queue = l.queue), cardinality($2)), cardinality($2))
                AS room,
            row_number() OVER (PARTITION BY l.queue ORDER BY l.priority, l.scheduled_at, l.id) AS place
        FROM lanes l
        WHERE l.kind IN (SELECT s.kind FROM served s)
          AND ($5 IS NULL OR l.queue IN (SELECT r.queue FROM rooms r))
          AND ($6 IS NULL OR l.executor_class IN (SELECT c.value FROM classes c))
          AND NOT EXISTS (SELECT FROM flyball.queues q WHERE q.queue = l.queue AND q.paused)
    ) l
    WHERE l.place <= l.room
),
-- How many each lane gives. Queues take turns by their shares; in one, the order is over all its lanes. Nothing is
-- locked yet.
wanted AS MATERIALIZED (
    SELECT p.queue, p.kind, p.executor_class, p.ahead, p.cost, count(*) AS quota
    FROM (
        SELECT p.*
        FROM (
            SELECT
                a.queue, a.kind, a.executor_class, a.room, a.ahead, a.cost, c.priority, c.scheduled_at, c.id,
                row_number() OVER (PARTITION BY a.queue ORDER BY c.priority, c.scheduled_at, c.id) AS place
            FROM asked a CROSS JOIN LATERAL (
                SELECT j.priority, j.scheduled_at, j.id
                FROM flyball.jobs j
                WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
                  AND j.queue = a.queue AND j.kind = a.kind AND j.executor_class = a.executor_class
                ORDER BY j.priority, j.scheduled_at, j.id
                LIMIT a.room) c
        ) p
        WHERE p.place <= p.room
        ORDER BY p.ahead + (p.place - 1) * p.cost, p.priority, p.scheduled_at, p.id
        LIMIT cardinality($2)
    ) p
    GROUP BY p.queue, p.kind, p.executor_class, p.ahead, p.cost
),
-- So many of each lane, past those that another node is claiming: nothing is locked that is not taken.
locked AS MATERIALIZED (
    SELECT w.queue, w.ahead, w.cost, c.priority, c.scheduled_at, c.id, c.args_bytes
    FROM wanted w CROSS JOIN LATERAL (
        SELECT j.priority, j.scheduled_at, j.id, j.args_bytes
        FROM flyball.jobs j
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
          AND j.queue = w.queue AND j.kind = w.kind AND j.executor_class = w.executor_class
        ORDER BY j.priority, j.scheduled_at, j.id
        LIMIT w.quota
        FOR UPDATE SKIP LOCKED) c
),
-- As many of them, in the same order, as one answer carries; the first always.
carried AS MATERIALIZED (
    SELECT l.*
    FROM (
        SELECT
            l.*,
            sum(l.args_bytes) OVER (ORDER BY l.begins, l.priority, l.scheduled_at, l.id) AS bytes,
            row_number() OVER (ORDER BY l.begins, l.priority, l.scheduled_at, l.id) AS place
        FROM (
            SELECT
                l.*,
                l.ahead + l.cost
                    * (row_number() OVER (PARTITION BY l.queue ORDER BY l.priority, l.scheduled_at, l.id) - 1) AS begins
            FROM locked l
        ) l
    ) l
    WHERE l.bytes <= $7::bigint OR l.place = 1
),
-- One row, so that the update goes from id to job, whatever the planner thinks of the counts above.
picked AS MATERIALIZED (
    SELECT array_agg(c.id ORDER BY c.priority, c.scheduled_at, c.id) AS ids FROM carried c
),
taken AS (
    UPDATE flyball.jobs j
    SET state = 'running',
        attempt = j.attempt + 1,
        node_id = $1,
        lease_token = ($2)[array_position(p.ids, j.id)],
        deadline_at = $3::timestamptz + interval '1 second' + interval '1 millisecond'
            * coalesce(j.timeout_ms, (SELECT s.timeout_ms FROM served s WHERE s.kind = j.kind))
    FROM picked p
    WHERE j.id = ANY (p.ids)
    RETURNING j.*
),
-- Each start takes a token of its key's bucket: whoever waits to be claimed has one. Keys are held in their order, after
-- the jobs, as everywhere.
held AS MATERIALIZED (
    SELECT k.key
    FROM flyball.limit_keys k
    WHERE k.key = ANY (ARRAY(SELECT t.limit_key FROM taken t WHERE t.limit_key IS NOT NULL))
    ORDER BY k.key
    FOR UPDATE
),
charged AS (
    UPDATE flyball.limit_keys k
    SET level = least(
            l.burst,
            k.level + greatest(extract(epoch FROM $3::timestamptz - k.filled_at)::double precision, 0)
                * 1000 * l.permits / l.per_ms)
            - (SELECT count(*) FROM taken t WHERE t.limit_key = k.key),
        filled_at = greatest(k.filled_at, $3)
    FROM flyball.limits l
    WHERE k.key = ANY (ARRAY(SELECT h.key FROM held h))
      AND l.name = split_part(k.key, ':', 1) AND l.path IS NOT NULL AND l.permits IS NOT NULL
),
begun AS (
    INSERT INTO flyball.job_runs (
        id, job_id, attempt, node_id, executor_class, component_digest, started_at, outcome)
    SELECT
        t.lease_token, t.id, t.attempt, t.node_id, t.executor_class,
        (SELECT s.digest FROM served s WHERE s.kind = t.kind), $3, 'started'
    FROM taken t
)
SELECT
    EXISTS (SELECT FROM me) AS alive,
    (SELECT coalesce(sum(w.quota), 0) FROM wanted w) > (SELECT count(*) FROM locked) AS contended,
    (SELECT count(*) FROM locked) > (SELECT count(*) FROM carried) AS cut,
    EXISTS (
        SELECT FROM flyball.jobs j
        WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
          AND j.kind IN (SELECT s.kind FROM served s)
          AND ($5 IS NULL OR j.queue IN (SELECT r.queue FROM rooms r))
          AND ($6 IS NULL OR j.executor_class IN (SELECT c.value FROM classes c))
          AND NOT EXISTS (SELECT FROM flyball.queues q WHERE q.queue = j.queue AND q.paused)
          AND j.id NOT IN (SELECT l.id FROM locked l)) AS last_chances,
    c.*
FROM (SELECT) AS always
LEFT JOIN (
    SELECT
        j.lease_token, j.id, j.kind, j.queue, j.executor_class, j.args, j.priority, j.attempt, j.failures, j.crashes,
        j.releases, j.snoozes, j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms,
        j.backoff_cap_ms, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.created_at, j.scheduled_at,
        j.deadline_at, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard IS NOT NULL AS on_discard,
        j.limit_key IS NOT NULL AS limited,
        -- A first attempt has no checkpoint, and is not looked for.
        coalesce(CASE WHEN j.attempt > 1 THEN (SELECT true FROM flyball.checkpoints p WHERE p.job_id = j.id) END, false)
            AS checkpoint
    FROM taken j
    UNION ALL
    SELECT
        j.lease_token, j.id, j.kind, j.queue, j.executor_class, j.args, j.priority, j.attempt, j.failures, j.crashes,
        j.releases, j.snoozes, j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms,
        j.backoff_cap_ms, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.created_at, j.scheduled_at,
        j.deadline_at, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard IS NOT NULL AS on_discard,
        j.limit_key IS NOT NULL AS limited,
        -- A first attempt has no checkpoint, and is not looked for.
        coalesce(CASE WHEN j.attempt > 1 THEN (SELECT true FROM flyball.checkpoints p WHERE p.job_id = j.id) END, false)
            AS checkpoint
    FROM flyball.jobs j
    WHERE j.id = ANY (ARRAY(SELECT p.id FROM prior p)) AND EXISTS (SELECT FROM me)
) c ON true
