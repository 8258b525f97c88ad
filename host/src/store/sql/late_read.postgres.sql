-- How runs ended that a batch did not move, and where their jobs stand now. $1 batch: run
SELECT r.id AS run, r.outcome, r.settled_by, j.state, j.attempt = r.attempt AS latest
FROM json_to_recordset($1::json) AS d (run uuid)
JOIN flyball.job_runs r ON r.id = d.run
JOIN flyball.jobs j ON j.id = r.job_id
