-- Updates without the row before them need a key.
--- use keyed
--- sql
SELECT * FROM FROM_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k), op_mapping => MAP['a', 'INSERT', 'b', 'UPDATE_AFTER']);
--- error
updates without the row before them need a key
PARTITION BY k
