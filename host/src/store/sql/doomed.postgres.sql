-- These jobs, which are held and have ended, and what still needs each: its own barrier that has not fired, the barrier of
-- the run that asked for it, or a continuation that has not ended and may read what it came to. Counted, not joined: a
-- join may be made through all barriers. $1 jobs
SELECT j.id, j.kind, j.queue,
    CASE
        WHEN (SELECT count(*) FROM flyball.barriers b WHERE b.job_id = j.id) > 0 THEN 'barrier'
        WHEN j.parent_run_id IS NULL THEN NULL
        WHEN (SELECT count(*) FROM flyball.barriers b WHERE b.run_id = j.parent_run_id) > 0 THEN 'parents_barrier'
        WHEN (SELECT count(*) FROM flyball.jobs o
              WHERE o.continues_run_id = j.parent_run_id AND o.continues_run_id IS NOT NULL
                AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')) > 0 THEN 'continuation'
    END AS needed_by
FROM flyball.jobs j
WHERE j.id = ANY ($1)
