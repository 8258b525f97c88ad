-- Pauses the queues and kinds of what is measured beside: those whose names say so.
INSERT INTO flyball.queues (queue, paused)
SELECT DISTINCT j.queue, true FROM flyball.jobs j
WHERE j.queue LIKE 'closed%'
ON CONFLICT DO NOTHING;
INSERT INTO flyball.kinds (kind, paused)
SELECT DISTINCT j.kind, true FROM flyball.jobs j
WHERE j.kind LIKE 'held%'
ON CONFLICT DO NOTHING;
