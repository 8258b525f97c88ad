-- The states of jobs that an operator names, and the runs whose barriers wait for them. $1 jobs
SELECT j.id, j.state, CASE WHEN j.awaited THEN j.parent_run_id END AS awaited_by
FROM json_each($1) AS d
CROSS JOIN jobs j ON j.id = d.value
