-- For jobs that were not inserted: the job that has the id, or holds one of the keys.
SELECT
    d.id,
    EXISTS (SELECT FROM flyball.jobs j WHERE j.id = d.id) AS same,
    coalesce(
        (SELECT j.id FROM flyball.jobs j WHERE j.unique_key = d.unique_key),
        (SELECT j.id FROM flyball.jobs j
         WHERE j.unique_active_key = d.unique_active_key
           AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))) AS holder
FROM json_to_recordset($1::json) AS d (id uuid, unique_key text, unique_active_key text)
