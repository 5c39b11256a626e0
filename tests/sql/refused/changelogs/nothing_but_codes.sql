-- A log has more than codes.
--- use keyed
--- sql
CREATE VIEW codes AS SELECT k AS op FROM keyed;
SELECT * FROM FROM_CHANGELOG(input => TABLE codes);
--- error
a table that has nothing but codes
