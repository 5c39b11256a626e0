-- The key of the table is asked for in its own type.
--- use directory
--- skip batch: compared like any other columns there
--- sql
SELECT o.id FROM orders AS o JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.amount * 1.5 = p.id;
--- error
the key of people is compared with another type
