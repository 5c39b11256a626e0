-- A comparison with NULL is never true, and neither is what it negates.
--- use ticks
--- sql
SELECT id FROM ticks WHERE price = NULL OR price <> NULL OR NULL = NULL OR NOT (qty = NULL) OR id = 3;
--- rows
id
3
