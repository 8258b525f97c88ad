-- Waits until no other node compares its configuration: which schedules there are is looked at by the next statement,
-- which sees what that one did. The number is "schedule" in bytes.
SELECT pg_advisory_xact_lock(8314604121742470245)
