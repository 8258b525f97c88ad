-- The walk goes on before this job, so many times to the end. $1 the job, or null · $2 how often still
UPDATE flyball.limit_walk SET before = $1, rounds = $2
