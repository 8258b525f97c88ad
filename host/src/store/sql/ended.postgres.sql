-- Of jobs that have just ended, those whose end may enqueue something. $1 jobs
SELECT
    j.id, j.state, j.queue, j.executor_class, j.root_id, j.depth,
    CASE WHEN j.awaited THEN j.parent_run_id END AS awaited_by,
    CASE WHEN j.state = 'discarded' THEN j.on_discard END AS on_discard,
    CASE WHEN j.state = 'discarded' AND j.on_discard IS NOT NULL THEN j.metadata END AS metadata,
    (SELECT r.id FROM flyball.job_runs r WHERE r.job_id = j.id AND r.attempt = j.attempt) AS run
FROM flyball.jobs j
WHERE j.id = ANY ($1) AND (j.awaited OR j.on_discard IS NOT NULL)
