-- Counts the jobs that runs asked for and got. $1 batch: run, children
WITH d AS MATERIALIZED (SELECT d.* FROM json_to_recordset($1::json) AS d (run uuid, children integer))
UPDATE flyball.job_runs r
SET enqueued_children = d.children
FROM d
WHERE r.id = ANY (ARRAY(SELECT d.run FROM d)) AND r.id = d.run
