-- A kind has one code.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed, op_mapping => MAP['INSERT, DELETE', 'a', 'INSERT', 'b']);
--- error
op_mapping has 'INSERT' twice
