-- Kinds as a node publishes them; the last one counts, and the flags stay. $1 batch · $2 now
INSERT INTO kinds (kind, summary, args_schema, defaults, published_at)
SELECT d.value ->> 'kind', d.value ->> 'summary', d.value ->> 'args_schema', d.value -> 'defaults', $2
FROM json_each($1) AS d
WHERE true
ON CONFLICT (kind) DO UPDATE
SET summary = excluded.summary, args_schema = excluded.args_schema, defaults = excluded.defaults,
    published_at = excluded.published_at
