-- Resumes a queue; answers it if it was paused. $1 queue
UPDATE flyball.queues SET paused = false WHERE queue = $1 AND paused RETURNING queue
