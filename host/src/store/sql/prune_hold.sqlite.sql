-- Those of these jobs that may go. A job stays that has a barrier which has not fired, a child of it, and a child whose
-- continuation has not ended. $1 jobs · $2 ended before: one that was
-- replayed since it was found, and has ended anew, is not old
SELECT j.id
FROM json_each($1) AS d
CROSS JOIN jobs j ON j.id = d.value
WHERE j.finalized_at < $2
  AND (SELECT count(*) FROM barriers b WHERE b.job_id = j.id) = 0
  AND (j.parent_run_id IS NULL
    OR (SELECT count(*) FROM barriers b WHERE b.run_id = j.parent_run_id) = 0
    AND (SELECT count(*) FROM jobs o
         WHERE o.continues_run_id = j.parent_run_id AND o.continues_run_id IS NOT NULL
           AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')) = 0)
