-- Names mean what differs in case alone, in the arguments too.
--- use keyed
--- sql
SELECT L.ID, l.Kind FROM to_changelog(Input => TABLE KEYED PARTITION BY K, OP => descriptor(Kind), op_Mapping => MAP['insert', 'x']) AS l WHERE l.v = 10;
--- rows
id | Kind
1 | x
