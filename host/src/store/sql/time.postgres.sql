-- The database's own time.
SELECT clock_timestamp() AS now
