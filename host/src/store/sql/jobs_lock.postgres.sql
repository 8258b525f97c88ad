-- The states of jobs that an operator names, held until the order was carried out. $1 jobs
SELECT j.id, j.state
FROM flyball.jobs j
WHERE j.id = ANY ($1)
ORDER BY j.id
FOR UPDATE
