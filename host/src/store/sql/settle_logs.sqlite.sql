-- Keeps what the attempts of a batch logged, fenced by the tokens of their jobs. $1 batch
INSERT INTO run_logs (run_id, seq, at, level, message, fields)
SELECT
    d.value ->> 'run', l.value ->> 'seq', l.value ->> 'at', l.value ->> 'level', l.value ->> 'message',
    l.value ->> 'fields'
FROM jsonb_each($1) AS d
CROSS JOIN jobs j ON j.id = d.value ->> 'job' AND j.lease_token = d.value ->> 'run' AND +j.state = 'running'
CROSS JOIN jsonb_each(d.value, '$.log') AS l
