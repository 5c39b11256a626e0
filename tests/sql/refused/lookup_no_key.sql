-- Asking needs a key.
--- use directory
--- sql
SELECT o.id FROM orders AS o JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.amount > p.quota;
--- error
people is asked by key, and the condition does not say what any of its columns equals
