-- The column of codes is none of the input.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed);
--- error
op
