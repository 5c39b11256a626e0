-- SHOW USER FUNCTIONS lists those of the current database and system functions.
--- use keyed
--- sql
CREATE FUNCTION twice(x INT) RETURNS INT RETURN x * 2;
CREATE TEMPORARY FUNCTION Thrice(x INT) RETURNS INT RETURN x * 3;
CREATE TEMPORARY SYSTEM FUNCTION other(x INT) RETURNS INT RETURN x;
SHOW USER FUNCTIONS LIKE 't%';
--- rows
function name
thrice
twice
