-- An argument that does not exist.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed, mapping => MAP['INSERT', 'I']);
--- error
TO_CHANGELOG has no argument mapping
input, op, op_mapping
