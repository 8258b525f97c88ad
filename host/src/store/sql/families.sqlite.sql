-- How many jobs below each root have not ended, counted no further than need be. $1 roots · $2 how far to count
SELECT
    f.value AS root,
    (SELECT count(*) FROM (
        SELECT 1 FROM jobs j INDEXED BY jobs_family
        WHERE j.root_id = f.value AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
        LIMIT $2) c) AS unfinished
FROM json_each($1) AS f
