-- Keeps the last progress of attempts that are under way. $1 batch: run, progress
UPDATE job_runs
SET progress = d.value -> 'progress'
FROM json_each($1) AS d
WHERE job_runs.id = d.value ->> 'run' AND job_runs.outcome = 'started'
