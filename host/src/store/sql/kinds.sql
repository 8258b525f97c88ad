-- The kinds that nodes have published.
SELECT k.kind, k.summary, k.args_schema, k.defaults, k.paused, k.published_at FROM flyball.kinds k ORDER BY k.kind
