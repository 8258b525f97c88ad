-- The state of a job, without the rest of it. $1 job
SELECT j.state FROM flyball.jobs j WHERE j.id = $1
