-- Kinds as a node publishes them; the last one counts, and the flags stay. $1 batch · $2 now
INSERT INTO flyball.kinds (kind, summary, args_schema, defaults, published_at)
SELECT d.kind, d.summary, d.args_schema::json, d.defaults, $2
FROM json_to_recordset($1::json) AS d (kind text, summary text, args_schema text, defaults json)
ORDER BY d.kind
ON CONFLICT (kind) DO UPDATE
SET summary = excluded.summary, args_schema = excluded.args_schema, defaults = excluded.defaults,
    published_at = excluded.published_at
