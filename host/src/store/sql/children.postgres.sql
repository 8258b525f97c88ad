-- Counts the jobs that runs asked for and got. $1 batch: run, children
UPDATE flyball.job_runs r
SET enqueued_children = d.children
FROM json_to_recordset($1::json) AS d (run uuid, children integer)
WHERE r.id = d.run
