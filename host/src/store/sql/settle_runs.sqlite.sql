-- Ends the runs of a batch, fenced by the tokens of their jobs. $1 batch · $2 now · $3 who settles
UPDATE job_runs INDEXED BY sqlite_autoindex_job_runs_1
SET outcome = d.value ->> 'outcome',
    settled_by = $3,
    finished_at = $2,
    error_class = d.value ->> 'error_class',
    error_message = d.value ->> 'error_message',
    error_detail = d.value ->> 'error_detail',
    output = d.value ->> 'output',
    cost_micros = d.value ->> 'cost_micros',
    duration_ms = d.value ->> 'duration_ms',
    component_digest = coalesce(d.value ->> 'digest', component_digest),
    fuel_used = d.value ->> 'fuel_used',
    cpu_us = d.value ->> 'cpu_us',
    peak_memory_bytes = d.value ->> 'peak_memory_bytes',
    http_requests = d.value ->> 'http_requests',
    http_bytes = d.value ->> 'http_bytes',
    log_bytes = d.value ->> 'log_bytes',
    log_dropped = d.value ->> 'log_dropped'
FROM jsonb_each($1) AS d
WHERE job_runs.id = d.value ->> 'run'
  AND job_runs.outcome = 'started'
  AND EXISTS (
      SELECT 1 FROM jobs j
      WHERE j.id = d.value ->> 'job' AND j.lease_token = d.value ->> 'run' AND +j.state = 'running')
