-- Pauses a kind for all nodes, also one that none has published; answers it if it was not. $1 kind
INSERT INTO flyball.kinds AS k (kind, paused) VALUES ($1, true)
ON CONFLICT (kind) DO UPDATE SET paused = true WHERE NOT k.paused
RETURNING kind
