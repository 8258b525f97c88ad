-- The place of a job that others are to be the children of. $1 job
SELECT j.root_id, j.depth FROM flyball.jobs j WHERE j.id = $1
