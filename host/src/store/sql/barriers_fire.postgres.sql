-- Takes down the barriers of those runs whose children have all ended. They are held already. $1 runs
DELETE FROM flyball.barriers b
WHERE b.run_id = ANY (ARRAY(
    SELECT r.run
    FROM unnest($1::uuid[]) AS r (run)
    -- Counted, so that each run goes by the index, whatever the planner thinks of their number.
    WHERE (
        SELECT count(*) FROM (
            SELECT FROM flyball.jobs j
            WHERE j.parent_run_id = r.run AND j.awaited
              AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
            LIMIT 1) c) = 0))
RETURNING b.run_id, b.continuation
