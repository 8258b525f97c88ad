-- Waits until nobody else changes a definition: what definitions there are is looked at by the next statement, which
-- sees what that one did.
SELECT w.before FROM flyball.limit_walk w FOR UPDATE
