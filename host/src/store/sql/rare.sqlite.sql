-- Jobs in these states, each found by the index of its state, and no more than so many. $1 states as an array · $2 how
-- many at most · $3 ended at or after, $4 ended before, each null for any time
SELECT r.id FROM jobs r INDEXED BY jobs_claim
WHERE instr($1, '"available"') > 0 AND r.state = 'available' AND r.blocked_by IS NULL AND NOT r.last_chance
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_last_chance
WHERE instr($1, '"available"') > 0 AND r.state = 'available' AND r.blocked_by IS NULL AND r.last_chance
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_blocked
WHERE instr($1, '"available"') > 0 AND r.state = 'available' AND r.blocked_by IS NOT NULL
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_due
WHERE (instr($1, '"scheduled"') > 0 OR instr($1, '"retryable"') > 0) AND r.state IN ('scheduled', 'retryable')
  AND instr($1, '"' || r.state || '"') > 0
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_running WHERE instr($1, '"running"') > 0 AND r.state = 'running'
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_paused WHERE instr($1, '"paused"') > 0 AND r.state = 'paused'
UNION ALL
SELECT r.id FROM jobs r INDEXED BY jobs_finalized
WHERE instr($1, '"' || r.state || '"') > 0 AND r.state IN ('succeeded', 'cancelled', 'discarded')
  -- A search for each of the states; what is not asked for is not entered.
  AND r.state IN (SELECT s.value FROM json_each($1) AS s)
  AND r.finalized_at >= coalesce($3, 0) AND r.finalized_at < coalesce($4, 9223372036854775807)
LIMIT $2
