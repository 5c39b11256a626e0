-- A kind that does not exist, with the nearest one.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k), op_mapping => MAP['a', 'INSERTS']);
--- error
'INSERTS' is no kind of change
did you mean 'INSERT'?
line 1, column 96
