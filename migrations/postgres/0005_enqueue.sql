-- Enqueueing by SQL alone, from any language, inside the caller's own transaction.
--
-- Both functions run with the rights of their owner, so that a role needs nothing else than
--     GRANT USAGE ON SCHEMA flyball TO app;
--     GRANT EXECUTE ON FUNCTION flyball.enqueue, flyball.enqueue_many TO app;
-- They find nothing by a path that the caller chose, and everything they name says its schema.

-- An id of version 7: milliseconds, then what is left of the microsecond, so that ids of one transaction grow.
CREATE FUNCTION flyball.mint_id() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT encode(
        substring(int8send(t.micros / 1000) FROM 3)
        || substring(int4send(28672 + ((t.micros % 1000) * 4096 / 1000)::integer) FROM 3)
        || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS t (micros)
$$;

-- Why this is no job; null if it is one. Shape, sizes and ranges, as the host has them. What only the host can tell (args
-- that do not match their worker's schema) ends the job as `validation` when it runs.
CREATE FUNCTION flyball.job_fault(job jsonb) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    word CONSTANT text := '^[a-z][a-z0-9_-]{0,63}$';
    field text;
    most numeric;
    least numeric;
BEGIN
    IF jsonb_typeof(job) IS DISTINCT FROM 'object' THEN
        RETURN 'a job must be a JSON object';
    END IF;
    SELECT k.key INTO field FROM jsonb_object_keys(job) AS k (key)
    WHERE k.key <> ALL (ARRAY[
        'id', 'kind', 'args', 'queue', 'priority', 'scheduled_at', 'unique_key', 'unique_active_key', 'parent_id',
        'executor_class', 'max_attempts', 'timeout_ms', 'fuel', 'backoff_base_ms', 'backoff_cap_ms', 'tags',
        'metadata', 'on_discard', 'limit_key'])
    LIMIT 1;
    IF field IS NOT NULL THEN
        RETURN format('%s is not a field of a job', left(quote_ident(field), 80));
    END IF;
    FOREACH field IN ARRAY ARRAY[
        'id', 'kind', 'queue', 'scheduled_at', 'unique_key', 'unique_active_key', 'limit_key', 'parent_id',
        'executor_class'] LOOP
        IF jsonb_typeof(job -> field) NOT IN ('string', 'null') THEN
            RETURN field || ' must be a text';
        END IF;
    END LOOP;
    IF job ->> 'kind' IS NULL OR job ->> 'kind' !~ word THEN
        RETURN 'kind must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter';
    END IF;
    IF job ->> 'queue' !~ word THEN
        RETURN 'queue must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter';
    END IF;
    IF job ->> 'executor_class' !~ word AND job ->> 'executor_class' <> '' THEN
        RETURN 'executor_class must be empty, or 1 to 64 of a-z, 0-9, _ and -, beginning with a letter';
    END IF;
    IF job ->> 'scheduled_at' IS NOT NULL THEN
        BEGIN
            IF (job ->> 'scheduled_at')::timestamptz NOT BETWEEN '0001-01-01 00:00Z' AND '9999-12-31 00:00Z' THEN
                RETURN 'scheduled_at must be a time of the years 1 to 9999';
            END IF;
        EXCEPTION WHEN data_exception THEN
            RETURN 'scheduled_at must be a time such as 2030-01-31T12:00:00Z';
        END;
    END IF;
    FOREACH field IN ARRAY ARRAY['id', 'parent_id'] LOOP
        IF job ->> field !~* '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' THEN
            RETURN field || ' must be a UUID of version 7';
        END IF;
    END LOOP;
    FOREACH field IN ARRAY ARRAY['unique_key', 'unique_active_key', 'limit_key'] LOOP
        IF octet_length(job ->> field) NOT BETWEEN 1 AND 512
            OR job ->> field ~ '[\u0001-\u001f\u007f-\u009f]' THEN
            RETURN field || ' must be 1 to 512 bytes without control characters';
        END IF;
    END LOOP;
    FOR field, least, most IN
        SELECT r.field, r.least, r.most
        FROM (VALUES
            ('priority', 0, 32767), ('max_attempts', 1, 32767), ('timeout_ms', 1, 86400000),
            ('fuel', 1, 9223372036854775807), ('backoff_base_ms', 1, 2592000000),
            ('backoff_cap_ms', 1, 2592000000)) AS r (field, least, most)
    LOOP
        CONTINUE WHEN job -> field IS NULL OR job -> field = 'null';
        IF jsonb_typeof(job -> field) <> 'number'
            OR (job ->> field)::numeric NOT BETWEEN least AND most
            OR (job ->> field)::numeric % 1 <> 0 THEN
            RETURN format('%s must be a whole number, %s to %s', field, least, most);
        END IF;
    END LOOP;
    IF (job ->> 'backoff_base_ms' IS NULL) <> (job ->> 'backoff_cap_ms' IS NULL)
        OR (job ->> 'backoff_base_ms')::numeric > (job ->> 'backoff_cap_ms')::numeric THEN
        RETURN 'backoff_base_ms and backoff_cap_ms must be given together, the base at most the cap';
    END IF;
    IF octet_length((job -> 'args')::text) > 1048576 THEN
        RETURN 'args must be at most 1048576 bytes of JSON';
    END IF;
    IF jsonb_typeof(job -> 'metadata') NOT IN ('object', 'null')
        OR octet_length((job -> 'metadata')::text) > 8192 THEN
        RETURN 'metadata must be a JSON object of at most 8192 bytes';
    END IF;
    IF jsonb_typeof(job -> 'on_discard') NOT IN ('object', 'null') THEN
        RETURN 'on_discard must be an object with kind and args';
    END IF;
    IF jsonb_typeof(job -> 'on_discard') = 'object' AND (
        coalesce(job #>> '{on_discard,kind}', '') !~ word
        OR octet_length((job #> '{on_discard,args}')::text) > 1048576
        OR EXISTS (
            SELECT FROM jsonb_object_keys(job -> 'on_discard') AS k (key) WHERE k.key NOT IN ('kind', 'args'))) THEN
        RETURN 'on_discard must be a kind and, if it has any, args of at most 1048576 bytes';
    END IF;
    IF jsonb_typeof(job -> 'tags') NOT IN ('array', 'null') THEN
        RETURN 'tags must be an array of texts';
    END IF;
    IF jsonb_typeof(job -> 'tags') = 'array' AND (
        jsonb_array_length(job -> 'tags') > 32
        OR EXISTS (
            SELECT FROM jsonb_array_elements(job -> 'tags') AS t (tag)
            WHERE jsonb_typeof(t.tag) <> 'string'
               OR octet_length(t.tag #>> '{}') NOT BETWEEN 1 AND 64
               OR t.tag #>> '{}' ~ '[\u0001-\u001f\u007f-\u009f]')) THEN
        RETURN 'tags must be at most 32 texts of 1 to 64 bytes without control characters';
    END IF;
    RETURN NULL;
END
$$;

-- Enqueues jobs, all or none: a JSON array of objects whose fields are the columns of jobs. Answers in input order the id
-- of each job; for one whose key is taken, that of the job which has it. An id that is there already is the same job.
CREATE FUNCTION flyball.enqueue_many(jobs jsonb)
RETURNS TABLE (id uuid, duplicate boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
-- The columns of the answer have names of columns of jobs, which are meant.
#variable_conflict use_column
DECLARE
    asked_at CONSTANT timestamptz := clock_timestamp();
    item record;
    incoming jsonb;
    same uuid[];
    holders uuid[];
BEGIN
    IF jsonb_typeof(jobs) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'jobs must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF jsonb_array_length(jobs) > 10000 THEN
        RAISE EXCEPTION '% jobs in one call, 10000 are allowed', jsonb_array_length(jobs)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Enqueue them in several calls of one transaction.';
    END IF;
    FOR item IN
        SELECT j.ord, flyball.job_fault(j.job) AS fault
        FROM jsonb_array_elements(jobs) WITH ORDINALITY AS j (job, ord)
    LOOP
        IF item.fault IS NOT NULL THEN
            RAISE EXCEPTION '%', CASE
                WHEN jsonb_array_length(jobs) = 1 THEN item.fault
                ELSE format('job %s of %s: %s', item.ord, jsonb_array_length(jobs), item.fault)
            END USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END LOOP;

    IF EXISTS (
        SELECT FROM jsonb_array_elements(jobs) AS j (job)
        WHERE j.job ->> 'parent_id' IS NOT NULL
          AND NOT EXISTS (SELECT FROM flyball.jobs p WHERE p.id = (j.job ->> 'parent_id')::uuid)) THEN
        RAISE EXCEPTION 'a job that is named as parent_id is not on record'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It may have been deleted by retention.';
    END IF;

    -- The ids are fixed once, so that what is asked for twice below is the same.
    incoming := (
        SELECT jsonb_agg(
            j.job || jsonb_build_object('id', coalesce((j.job ->> 'id')::uuid, flyball.mint_id()))
            ORDER BY j.ord)
        FROM jsonb_array_elements(jobs) WITH ORDINALITY AS j (job, ord));

    -- A node that works hears of more by itself; one that sleeps is woken by the commit.
    PERFORM pg_notify('flyball', 'foreign work')
    FROM (SELECT DISTINCT coalesce(j.job ->> 'queue', 'default') AS queue
          FROM jsonb_array_elements(incoming) AS j (job)
          WHERE coalesce((j.job ->> 'scheduled_at')::timestamptz <= asked_at, true)) AS q
    WHERE NOT EXISTS (
        SELECT FROM flyball.jobs j
        WHERE j.queue = q.queue AND j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance)
    LIMIT 1;

    FOR round IN 1..3 LOOP
        INSERT INTO flyball.jobs (
            id, kind, queue, args, priority, state, created_at, scheduled_at, max_attempts, timeout_ms, fuel,
            backoff_base_ms, backoff_cap_ms, unique_key, unique_active_key, parent_id, root_id, depth, executor_class,
            tags, metadata, on_discard, limit_given, limit_key, blocked_by)
        SELECT
            (j.job ->> 'id')::uuid, j.job ->> 'kind', coalesce(j.job ->> 'queue', 'default'),
            coalesce(j.job -> 'args', '{}')::text::json, coalesce((j.job ->> 'priority')::numeric::smallint, 100),
            CASE WHEN (j.job ->> 'scheduled_at')::timestamptz > asked_at THEN 'scheduled' ELSE 'available' END,
            asked_at, coalesce((j.job ->> 'scheduled_at')::timestamptz, asked_at), (j.job ->> 'max_attempts')::numeric::integer,
            (j.job ->> 'timeout_ms')::numeric::bigint, (j.job ->> 'fuel')::numeric::bigint, (j.job ->> 'backoff_base_ms')::numeric::bigint,
            (j.job ->> 'backoff_cap_ms')::numeric::bigint, j.job ->> 'unique_key', j.job ->> 'unique_active_key', p.id,
            coalesce(p.root_id, p.id), CASE WHEN p.id IS NULL THEN 0 ELSE least(p.depth + 1, 32767) END, coalesce(j.job ->> 'executor_class', ''),
            coalesce(nullif(j.job -> 'tags', 'null'), '[]')::text::json,
            coalesce(nullif(j.job -> 'metadata', 'null'), '{}')::text::json,
            CASE WHEN j.job ->> 'on_discard' IS NOT NULL THEN json_build_object(
                'kind', j.job #>> '{on_discard,kind}',
                'args', coalesce(j.job #> '{on_discard,args}', '{}')) END,
            j.job ->> 'limit_key', k.line,
            CASE WHEN (j.job ->> 'scheduled_at')::timestamptz > asked_at THEN NULL ELSE k.line END
        FROM jsonb_array_elements(incoming) AS j (job)
        LEFT JOIN flyball.jobs p ON p.id = (j.job ->> 'parent_id')::uuid
        CROSS JOIN LATERAL (
            -- The line that it is put into, as the host has it.
            SELECT CASE WHEN EXISTS (SELECT FROM flyball.limits l WHERE l.path IS NOT NULL) THEN (
                SELECT l.name || ':' || CASE WHEN octet_length(v.key) <= 512 THEN v.key ELSE left(v.key, 128) END
                FROM flyball.limits l
                CROSS JOIN LATERAL (
                    SELECT coalesce(j.job ->> 'limit_key', j.job -> 'args' #>> l.path, '') AS key) v
                WHERE l.path IS NOT NULL
                  AND (l.queue IS NULL OR l.queue = coalesce(j.job ->> 'queue', 'default'))
                  AND (l.kind IS NULL OR l.kind = j.job ->> 'kind')
                ORDER BY l.kind IS NULL, l.queue IS NULL, l.name
                LIMIT 1) END AS line
            OFFSET 0) k
        -- Whoever inserts the same keys does so in the same order.
        ORDER BY j.job ->> 'unique_key' COLLATE "C" NULLS FIRST, j.job ->> 'unique_active_key' COLLATE "C" NULLS FIRST
        ON CONFLICT DO NOTHING;

        -- Who waits in a line is let through by a promoter: this transaction holds no key for as long as its caller likes.
        INSERT INTO flyball.limit_turns (key)
        SELECT DISTINCT b.blocked_by
        FROM flyball.jobs b
        WHERE b.id = ANY (ARRAY(SELECT (j.job ->> 'id')::uuid FROM jsonb_array_elements(incoming) AS j (job)))
          AND b.blocked_by IS NOT NULL;
        IF FOUND THEN
            PERFORM pg_notify('flyball', 'foreign due');
        END IF;

        -- In a new statement, which sees who was faster.
        SELECT array_agg(a.same ORDER BY a.ord), array_agg(a.holder ORDER BY a.ord)
        INTO same, holders
        FROM (
            SELECT
                j.ord,
                (SELECT s.id FROM flyball.jobs s WHERE s.id = (j.job ->> 'id')::uuid) AS same,
                coalesce(
                    (SELECT k.id FROM flyball.jobs k WHERE k.unique_key = j.job ->> 'unique_key'),
                    (SELECT k.id FROM flyball.jobs k
                     WHERE k.unique_active_key = j.job ->> 'unique_active_key'
                       AND k.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))) AS holder
            FROM jsonb_array_elements(incoming) WITH ORDINALITY AS j (job, ord)) AS a;
        IF NOT EXISTS (
            SELECT FROM unnest(same, holders) AS u (same, holder) WHERE coalesce(u.same, u.holder) IS NULL)
        THEN
            RETURN QUERY SELECT coalesce(u.same, u.holder), u.same IS NULL
                FROM unnest(same, holders) WITH ORDINALITY AS u (same, holder, ord) ORDER BY u.ord;
            RETURN;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'whoever held a unique key went away again and again' USING ERRCODE = 'serialization_failure';
END
$$;

-- Enqueues one job, and answers its id, or that of the job which has its key.
CREATE FUNCTION flyball.enqueue(
    kind text,
    args jsonb DEFAULT '{}',
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    scheduled_at timestamptz DEFAULT NULL,
    unique_key text DEFAULT NULL,
    unique_active_key text DEFAULT NULL,
    parent_id uuid DEFAULT NULL,
    executor_class text DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    timeout_ms bigint DEFAULT NULL,
    fuel bigint DEFAULT NULL,
    backoff_base_ms bigint DEFAULT NULL,
    backoff_cap_ms bigint DEFAULT NULL,
    tags text[] DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    on_discard jsonb DEFAULT NULL,
    id uuid DEFAULT NULL,
    limit_key text DEFAULT NULL
) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.id
    FROM flyball.enqueue_many(jsonb_build_array(jsonb_build_object(
        'kind', enqueue.kind, 'args', coalesce(enqueue.args, '{}'), 'queue', enqueue.queue,
        'priority', enqueue.priority, 'scheduled_at', enqueue.scheduled_at, 'unique_key', enqueue.unique_key,
        'unique_active_key', enqueue.unique_active_key, 'parent_id', enqueue.parent_id,
        'executor_class', enqueue.executor_class, 'max_attempts', enqueue.max_attempts,
        'timeout_ms', enqueue.timeout_ms, 'fuel', enqueue.fuel, 'backoff_base_ms', enqueue.backoff_base_ms,
        'backoff_cap_ms', enqueue.backoff_cap_ms, 'tags', enqueue.tags, 'metadata', enqueue.metadata,
        'on_discard', enqueue.on_discard, 'id', enqueue.id, 'limit_key', enqueue.limit_key))) AS e
$$;

REVOKE ALL ON FUNCTION
    flyball.mint_id, flyball.job_fault, flyball.enqueue_many, flyball.enqueue FROM PUBLIC;
