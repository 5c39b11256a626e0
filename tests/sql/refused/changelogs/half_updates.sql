-- A row before an update without the row after it.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k), op_mapping => MAP['a', 'INSERT', 'b', 'UPDATE_BEFORE']);
--- error
UPDATE_BEFORE and no UPDATE_AFTER
DELETE
