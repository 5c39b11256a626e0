-- INSERT … SET of MySQL.
--- use market
--- sql
INSERT INTO files SET auction = 1, n = 2;
--- error
LV-1001
expected SELECT, WITH or VALUES, found SET
line 1, column 19
hint: write INSERT INTO t (a, b) VALUES (1, 2)
