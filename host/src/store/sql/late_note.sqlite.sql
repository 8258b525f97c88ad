-- Notes, once, what an attempt came to that was no longer the lease's holder. $1 batch: run, outcome · $2 now
UPDATE job_runs
SET late_outcome = d.value ->> 'outcome', late_at = $2
FROM json_each($1) AS d
WHERE job_runs.id = d.value ->> 'run'
  AND job_runs.outcome <> 'started'
  AND job_runs.settled_by IS NOT 'owner'
  AND job_runs.late_outcome IS NULL
