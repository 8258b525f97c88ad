-- Marks every other node lost: there is one at a time, and it has the file's lock. $1 node · $2 now
UPDATE nodes SET lost_at = $2 WHERE id <> $1 AND lost_at IS NULL
