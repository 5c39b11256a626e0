-- PARTITION BY takes columns.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed PARTITION BY (v + 1));
--- error
PARTITION BY of TO_CHANGELOG takes names of columns
