-- The states of jobs that an operator names, and the runs whose barriers wait for them; held until the order was carried
-- out. $1 jobs
SELECT j.id, j.state, CASE WHEN j.awaited THEN j.parent_run_id END AS awaited_by
FROM flyball.jobs j
WHERE j.id = ANY ($1)
ORDER BY j.id
FOR UPDATE
