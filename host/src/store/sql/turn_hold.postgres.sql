-- Holds keys, in their order, until the transaction ends: whoever gives permits of one looks at it after whoever did before.
-- $1 keys · $2 now
INSERT INTO flyball.limit_keys (key, filled_at)
SELECT k.value, $2::timestamptz
FROM json_array_elements_text($1::json) AS k (value)
ORDER BY k.value COLLATE "C"
ON CONFLICT (key) DO UPDATE SET key = excluded.key
