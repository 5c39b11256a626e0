-- A column that is computed here is nothing that the table could be asked by.
--- use directory
--- sql
SELECT o.id FROM orders AS o JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.region = p.shout;
--- error
people is asked by key, and the condition does not say what any of its columns equals
