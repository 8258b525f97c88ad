-- The newest run of a job. $1 job
SELECT
    r.id, r.job_id, r.attempt, r.node_id, r.executor_class, r.component_digest, r.started_at, r.finished_at,
    r.outcome, r.settled_by, r.late_outcome, r.late_at, r.error_class, r.error_message, r.error_detail, r.output,
    r.duration_ms, r.cost_micros, r.enqueued_children, r.progress, r.fuel_used, r.cpu_us, r.peak_memory_bytes,
    r.http_requests, r.http_bytes, r.log_bytes, r.log_dropped
FROM flyball.job_runs r
WHERE r.job_id = $1
ORDER BY r.attempt DESC
LIMIT 1
