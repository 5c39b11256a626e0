-- Where the session is.
--- sql
CREATE DATABASE other;
USE other;
SHOW CURRENT DATABASE;
--- rows
current database name
other
