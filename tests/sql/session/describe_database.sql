-- What is known of a database.
--- sql
CREATE DATABASE d COMMENT 'ours' WITH ('owner' = 'me');
ALTER DATABASE d SET ('owner' = 'you');
DESCRIBE DATABASE EXTENDED d;
--- rows
info name | info value
name | d
comment | ours
properties | owner=you
