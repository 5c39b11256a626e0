-- Codes are texts in the mapping too.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k), op_mapping => MAP[1, 'INSERT']);
--- error
op_mapping takes texts
