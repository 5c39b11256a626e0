-- An array that no table has.
--- sql
SELECT x, n FROM UNNEST(ARRAY[3, 1, 2]) WITH ORDINALITY AS u (x, n) WHERE x < 3;
--- rows
x | n
1 | 2
2 | 3
