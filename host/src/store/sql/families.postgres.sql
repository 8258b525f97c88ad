-- How many jobs below each root have not ended, counted no further than need be. $1 roots · $2 how far to count
SELECT
    f.root,
    (SELECT count(*) FROM (
        SELECT FROM flyball.jobs j
        WHERE j.root_id = f.root AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
        LIMIT $2) c) AS unfinished
FROM unnest($1::uuid[]) AS f (root)
