-- What goes with these jobs. $1 jobs · $2 lines that earlier runs logged are counted by another walk
SELECT
    (SELECT count(*) FROM json_each($1) AS d CROSS JOIN job_runs r ON r.job_id = d.value) AS runs,
    (SELECT count(*) FROM json_each($1) AS d CROSS JOIN job_runs r ON r.job_id = d.value
     CROSS JOIN run_logs l ON l.run_id = r.id WHERE r.id >= $2) AS logs,
    (SELECT count(*) FROM json_each($1) AS d CROSS JOIN checkpoints c ON c.job_id = d.value) AS checkpoints
