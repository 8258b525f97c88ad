-- Rings in other processes. $1 what to ring, an array
SELECT pg_notify('flyball', r.value) FROM json_array_elements_text($1::json) AS r (value)
