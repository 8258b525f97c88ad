-- Compares what a node believes that it holds with what is running for it. A claim may overtake the renewal that was
-- gathered before it, so what was claimed under an id that was minted since is not taken for unknown.
-- $1 node · $2 runs held · $3 runs of claims not answered yet · $4 the id that parts earlier ones from later ones
WITH mine AS MATERIALIZED (
    SELECT j.lease_token AS run, j.cancel_requested_at
    FROM flyball.jobs j
    WHERE j.state = 'running' AND j.node_id = $1
)
SELECT 'lost' AS what, h.run
FROM unnest($2::uuid[]) AS h (run)
WHERE NOT EXISTS (SELECT FROM mine m WHERE m.run = h.run)
UNION ALL
SELECT 'cancel', m.run
FROM mine m
WHERE m.cancel_requested_at IS NOT NULL AND m.run = ANY ($2)
UNION ALL
SELECT 'unknown', m.run
FROM mine m
WHERE NOT m.run = ANY ($2)
  AND NOT m.run = ANY ($3)
  AND m.run < $4
