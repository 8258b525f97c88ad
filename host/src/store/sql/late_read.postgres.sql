-- How runs ended that a batch did not move, and where their jobs stand now. $1 batch: run
WITH r AS MATERIALIZED (
    SELECT r.*
    FROM flyball.job_runs r
    WHERE r.id = ANY (ARRAY(SELECT d.run FROM json_to_recordset($1::json) AS d (run uuid)))
)
SELECT r.id AS run, r.outcome, r.settled_by, j.state, j.attempt = r.attempt AS latest
FROM flyball.jobs j
JOIN r ON r.job_id = j.id
WHERE j.id = ANY (ARRAY(SELECT r.job_id FROM r))
