-- No row is equal to NULL.
--- use ticks
--- sql
SELECT id FROM ticks WHERE sym = NULL;
--- rows
id
