-- Rows of a table have no numbers.
--- use baskets
--- sql
SELECT id FROM baskets WITH ORDINALITY AS b (id, n);
--- error
LV-1011
WITH ORDINALITY of a table
line 1
