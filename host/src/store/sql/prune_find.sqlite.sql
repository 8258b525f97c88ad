-- Jobs of one state that ended before a time, those first that ended first. $1 state · $2, $3 after this one: when it
-- ended, and id · $4 before · $5 how many at most
SELECT j.id, j.finalized_at, j.kind, j.queue
FROM jobs j INDEXED BY jobs_finalized
WHERE j.state IN ('succeeded', 'cancelled', 'discarded') AND j.state = $1
  AND (j.finalized_at, j.id) > ($2, $3) AND j.finalized_at < $4
ORDER BY j.finalized_at, j.id
LIMIT $5
