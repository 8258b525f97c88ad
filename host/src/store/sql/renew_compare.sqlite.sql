-- Compares what a node believes that it holds with what is running for it. A claim may overtake the renewal that was
-- gathered before it, so what was claimed under an id that was minted since is not taken for unknown.
-- $1 node · $2 runs held · $3 runs of claims not answered yet · $4 the id that parts earlier ones from later ones
WITH mine AS MATERIALIZED (
    SELECT j.lease_token AS run, j.cancel_requested_at
    FROM jobs j
    WHERE j.state = 'running' AND j.node_id = $1
)
SELECT 'lost' AS what, h.value AS run
FROM json_each($2) AS h
WHERE h.value NOT IN (SELECT m.run FROM mine m)
UNION ALL
SELECT 'cancel', m.run
FROM mine m
WHERE m.cancel_requested_at IS NOT NULL AND m.run IN (SELECT h.value FROM json_each($2) AS h)
UNION ALL
SELECT 'unknown', m.run
FROM mine m
WHERE m.run NOT IN (SELECT h.value FROM json_each($2) AS h)
  AND m.run NOT IN (SELECT p.value FROM json_each($3) AS p)
  AND m.run < $4
