-- The queues that are paused.
SELECT q.queue FROM flyball.queues q WHERE q.paused ORDER BY q.queue
