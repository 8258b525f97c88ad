-- The children of a job, by state. $1 job · $2 the run that asked for them, null for all
SELECT j.state, count(*) AS n, min(j.created_at) AS oldest
FROM flyball.jobs j
WHERE j.parent_id = $1 AND (CAST($2 AS uuid) IS NULL OR j.parent_run_id = $2)
GROUP BY j.state
