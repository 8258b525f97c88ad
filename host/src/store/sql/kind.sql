-- A kind as nodes published it last. $1 kind
SELECT k.kind, k.summary, k.args_schema, k.defaults, k.paused, k.published_at FROM flyball.kinds k WHERE k.kind = $1
