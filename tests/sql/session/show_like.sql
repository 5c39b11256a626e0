-- Names by pattern, from another database.
--- sql
CREATE DATABASE other;
CREATE TABLE other.orders (x INT) WITH ('connector' = 'print');
CREATE TABLE other.order_items (x INT) WITH ('connector' = 'print');
CREATE TABLE other.Shops (x INT) WITH ('connector' = 'print');
SHOW TABLES FROM other NOT LIKE 'order\_%';
--- rows
table name
Shops
orders
