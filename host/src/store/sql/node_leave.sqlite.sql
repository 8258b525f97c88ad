-- Takes a node out: it neither claims nor renews from now on. $1 node · $2 now
UPDATE nodes SET lost_at = $2, left_at = $2, in_flight = 0 WHERE id = $1 AND lost_at IS NULL
