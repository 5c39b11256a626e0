-- A catalog of its own, and what SHOW says of it.
--- sql
CREATE CATALOG mine WITH ('type' = 'generic_in_memory', 'default-database' = 'main');
USE CATALOG mine;
CREATE DATABASE more;
SHOW DATABASES;
--- rows
database name
main
more
