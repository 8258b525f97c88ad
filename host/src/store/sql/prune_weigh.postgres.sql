-- What goes with these jobs. $1 jobs · $2 lines that earlier runs logged are counted by another walk
SELECT
    (SELECT count(*) FROM flyball.job_runs r WHERE r.job_id = ANY ($1)) AS runs,
    (SELECT count(*) FROM flyball.job_runs r JOIN flyball.run_logs l ON l.run_id = r.id
     WHERE r.job_id = ANY ($1) AND r.id >= $2) AS logs,
    (SELECT count(*) FROM flyball.checkpoints c WHERE c.job_id = ANY ($1)) AS checkpoints
