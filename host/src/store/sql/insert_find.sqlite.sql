-- For jobs that were not inserted: the job that has the id, or holds one of the keys.
SELECT
    d.value ->> 'id' AS id,
    EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.value ->> 'id') AS same,
    coalesce(
        (SELECT j.id FROM jobs j WHERE j.unique_key = d.value ->> 'unique_key'),
        (SELECT j.id FROM jobs j
         WHERE j.unique_active_key = d.value ->> 'unique_active_key'
           AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))) AS holder
FROM jsonb_each($1) AS d
