-- What a node serves now. $1 node · $2 kinds with their digests
UPDATE flyball.nodes SET kinds = $2::json WHERE id = $1 AND lost_at IS NULL
