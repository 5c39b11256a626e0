-- Codes and their column are as the call says.
--- use keyed
--- sql
SELECT id, change FROM TO_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(change), op_mapping => MAP['INSERT, UPDATE_AFTER', 'I', 'DELETE', 'D']) WHERE id < 3;
--- rows
id | change
1 | I
2 | I
