-- There is one writer.
SELECT w.before FROM limit_walk w
