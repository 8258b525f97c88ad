-- Pauses a queue for all nodes; answers it if it was not. $1 queue
INSERT INTO flyball.queues AS q (queue, paused) VALUES ($1, true)
ON CONFLICT (queue) DO UPDATE SET paused = true WHERE NOT q.paused
RETURNING queue
