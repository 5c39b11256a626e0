-- Orders without a partner stand beside NULLs.
--- use directory
--- sql
SELECT o.id, p.region, p.shout FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region;
--- rows
id | region | shout
1 | eu | ANN
2 | us | BOB
3 | NULL | NULL
4 | NULL | NULL
5 | us | ANN
6 | NULL | NULL
7 | eu | ANN
8 | NULL | NULL
