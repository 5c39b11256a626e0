-- VALUE for VALUES.
--- use market
--- sql
INSERT INTO files VALUE (1, 2);
--- error
LV-1001
expected SELECT, WITH or VALUES, found VALUE
line 1, column 19
hint: did you mean VALUES?
