-- Rows of different lengths.
--- use market
--- sql
INSERT INTO files VALUES (1, 2), (3);
--- error
LV-1018
row 2 of VALUES has 1 values, and the first has 2
line 1, column 19
hint: give every row as many values; NULL stands for one that is missing
