-- The runs of a node whose jobs somebody asked to cancel. $1 node
SELECT j.lease_token AS run
FROM flyball.jobs j
WHERE j.state = 'running' AND j.node_id = $1 AND j.cancel_requested_at IS NOT NULL
