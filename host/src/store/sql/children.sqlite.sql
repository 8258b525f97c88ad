-- Counts the jobs that runs asked for and got. $1 batch: run, children
UPDATE job_runs
SET enqueued_children = d.value ->> 'children'
FROM json_each($1) AS d
WHERE job_runs.id = d.value ->> 'run'
