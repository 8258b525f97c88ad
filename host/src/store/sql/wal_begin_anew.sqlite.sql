-- Copies what is in the write-ahead log into the file, and cuts the log to nothing; answers whether somebody was in the
-- way.
PRAGMA wal_checkpoint(TRUNCATE)
