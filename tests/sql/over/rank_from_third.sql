-- Numbers with a lower limit only.
--- use sales
--- sql
SELECT id, rn FROM (SELECT id, RANK() OVER (ORDER BY amount DESC) AS rn FROM sales) WHERE rn >= 3;
--- rows
id | rn
7 | 4
2 | 5
8 | 5
9 | 7
1 | 8
4 | 8
10 | 10
5 | 11
12 | 12
