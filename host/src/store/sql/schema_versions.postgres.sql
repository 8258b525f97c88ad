-- The table of migrations that were applied, our own.
CREATE TABLE IF NOT EXISTS flyball.schema_versions (
    version    integer     NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    -- The oldest binary that can work on this schema.
    min_binary text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
