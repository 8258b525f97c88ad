-- Notes, once, what an attempt came to that was no longer the lease's holder. $1 batch: run, outcome · $2 now
WITH d AS MATERIALIZED (SELECT d.* FROM json_to_recordset($1::json) AS d (run uuid, outcome text))
UPDATE flyball.job_runs r
SET late_outcome = d.outcome, late_at = $2
FROM d
WHERE r.id = ANY (ARRAY(SELECT d.run FROM d))
  AND r.id = d.run
  AND r.outcome <> 'started'
  AND r.settled_by IS DISTINCT FROM 'owner'
  AND r.late_outcome IS NULL
