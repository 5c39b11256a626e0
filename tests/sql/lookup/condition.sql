-- A condition beyond equality decides which of the partners count; without any the row stands alone.
--- use directory
--- sql
SELECT o.id, p.region, p.quota FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.amount <= p.quota;
--- rows
id | region | quota
1 | eu | 5
1 | us | 8
2 | us | 10
3 | NULL | NULL
4 | NULL | NULL
5 | NULL | NULL
6 | NULL | NULL
7 | eu | 5
7 | us | 8
8 | NULL | NULL
