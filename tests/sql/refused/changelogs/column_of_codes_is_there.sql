-- The column of codes would be there twice.
--- use keyed
--- sql
SELECT * FROM TO_CHANGELOG(input => TABLE keyed, op => DESCRIPTOR(k));
--- error
TO_CHANGELOG would give two columns k
call the column of codes otherwise
