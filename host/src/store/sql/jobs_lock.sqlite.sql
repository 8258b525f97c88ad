-- The states of jobs that an operator names. $1 jobs
SELECT j.id, j.state
FROM json_each($1) AS d
CROSS JOIN jobs j ON j.id = d.value
