-- How far so many jobs reach, from the newest to the oldest. $1 older than this one · $2 how many come before it
SELECT j.id FROM flyball.jobs j WHERE j.id < $1 ORDER BY j.id DESC LIMIT 1 OFFSET $2
