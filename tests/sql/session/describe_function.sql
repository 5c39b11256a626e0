-- DESCRIBE FUNCTION says what a function is.
--- use keyed
--- sql
CREATE TEMPORARY FUNCTION pay(hours INT, rate DECIMAL(10, 2)) RETURNS DECIMAL(12, 2) LANGUAGE SQL RETURN hours * rate;
DESCRIBE FUNCTION pay;
--- rows
info name | info value
signature | pay(hours INT, rate DECIMAL(10, 2))
returns | DECIMAL(12, 2)
language | SQL
body | hours * rate
temporary | true
system function | false
