-- Values without a comma between.
--- use market
--- sql
INSERT INTO files VALUES (1 2);
--- error
LV-1001
expected ), found 2
line 1, column 29
hint: a comma or ) may be missing in front of it
