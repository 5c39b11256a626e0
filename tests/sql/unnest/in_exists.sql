-- In a subquery that is correlated by an element.
--- use baskets
--- sql
SELECT name FROM goods AS g
WHERE EXISTS (SELECT 1 FROM baskets AS b CROSS JOIN UNNEST(b.items) AS i WHERE i.sku = g.sku);
--- rows
name
apple
bread
