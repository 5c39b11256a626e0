-- Changes without a code are left out.
--- use keyed
--- sql
SELECT COUNT(*) AS n FROM TO_CHANGELOG(input => TABLE keyed, op_mapping => MAP['DELETE', 'gone']);
--- rows
n
0
