use std::sync::Arc;

use arrow::datatypes::{Field, Schema};

use super::*;
use crate::parser::{Statement, parse_expression, parse_one};

struct Tables;

impl TableNames for Tables {
    fn find(&self, name: &[&str]) -> Option<FoundTable> {
        let row = DataType::Struct(vec![Field::new("itemName", DataType::Utf8, true)].into());
        let orders = vec![
            Field::new("orderId", DataType::Int64, true),
            Field::new("price", DataType::Int64, true),
            Field::new("Price", DataType::Int64, true),
            Field::new("item", row, true),
        ];
        let customers = vec![Field::new("customerId", DataType::Int64, true)];
        let found = resolve(name.last()?, ["Orders", "customers"])?;
        let fields = if found == "Orders" { orders } else { customers };
        let qualifier = name
            .iter()
            .rev()
            .skip(1)
            .rev()
            .map(|part| part.to_lowercase());
        Some(FoundTable {
            name: qualifier.chain([found.to_string()]).collect(),
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    let Statement::Query(mut query) = parse_one(sql).unwrap().statement else {
        panic!("{sql}");
    };
    resolve_query(&mut query.ast, &Tables).unwrap();
    assert_eq!(query.ast.to_string(), expected, "for {sql}");
}

#[test]
fn exact_first_then_in_any_case_unless_ambiguous() {
    assert_eq!(resolve("a", ["A", "a"]), Some("a"));
    assert_eq!(resolve("a", ["A", "b"]), Some("A"));
    assert_eq!(resolve("ab", ["AB", "Ab"]), None);
    assert_eq!(resolve("ab", ["AB", "AB"]), Some("AB"));
    check("SELECT ORDERID FROM orders", "SELECT orderId FROM Orders");
    check(
        "SELECT price, Price, PRICE FROM Orders",
        "SELECT price, Price, PRICE FROM Orders",
    );
    check("SELECT nothing FROM Nowhere", "SELECT nothing FROM Nowhere");
}

#[test]
fn qualifiers_and_fields() {
    check(
        "SELECT ORDERS.orderid FROM orders",
        "SELECT Orders.orderId FROM Orders",
    );
    check(
        "SELECT o.ITEM.itemname FROM orders AS O",
        "SELECT O.item.itemName FROM Orders AS O",
    );
    check(
        "SELECT ITEM.ITEMNAME FROM orders",
        "SELECT item.itemName FROM Orders",
    );
    check(
        "SELECT DB.orders.orderid FROM Db.ORDERS",
        "SELECT db.Orders.orderId FROM db.Orders",
    );
    check("SELECT O.* FROM orders o", "SELECT o.* FROM Orders o");
}

#[test]
fn clauses() {
    check(
        "SELECT orderid AS Id, COUNT(*) AS Cnt FROM orders WHERE ORDERID > 1 GROUP BY OrderId HAVING cnt > 1 ORDER BY ID, CNT",
        "SELECT orderId AS Id, COUNT(*) AS Cnt FROM Orders WHERE orderId > 1 GROUP BY orderId HAVING Cnt > 1 ORDER BY Id, Cnt",
    );
    check(
        "SELECT * FROM orders o JOIN Customers c ON O.orderid = C.customerid",
        "SELECT * FROM Orders o JOIN customers c ON o.orderId = c.customerId",
    );
    check(
        "SELECT orderid FROM orders UNION ALL SELECT customerid FROM customers ORDER BY ORDERID",
        "SELECT orderId FROM Orders UNION ALL SELECT customerId FROM customers ORDER BY orderId",
    );
}

#[test]
fn subqueries_and_common_table_expressions() {
    check(
        "WITH Tmp AS (SELECT orderid AS Oid, item FROM orders) SELECT oid, ITEM.itemname FROM TMP",
        "WITH Tmp AS (SELECT orderId AS Oid, item FROM Orders) SELECT Oid, item.itemName FROM Tmp",
    );
    check(
        "WITH T (Aa) AS (SELECT orderid FROM orders) SELECT aa FROM t",
        "WITH T (Aa) AS (SELECT orderId FROM Orders) SELECT Aa FROM T",
    );
    check(
        "SELECT X.ID FROM (SELECT orderid AS id FROM orders) AS x",
        "SELECT x.id FROM (SELECT orderId AS id FROM Orders) AS x",
    );
    check(
        "SELECT customerid FROM customers c WHERE EXISTS (SELECT 1 FROM orders WHERE ORDERID = C.CUSTOMERID)",
        "SELECT customerId FROM customers c WHERE EXISTS (SELECT 1 AS `1` FROM Orders WHERE orderId = c.customerId)",
    );
    check(
        "SELECT (SELECT MAX(orderid) FROM orders) FROM customers",
        "SELECT (SELECT MAX(orderId) AS `MAX(orderid)` FROM Orders) AS `(SELECT MAX(orderid) FROM orders)` FROM customers",
    );
}

#[test]
fn windows_and_their_columns() {
    let Statement::Query(mut query) = parse_one(
        "SELECT WINDOW_START, ORDERID FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ORDERID), INTERVAL '1' DAY)) GROUP BY window_Start, orderid",
    )
    .unwrap()
    .statement
    else {
        panic!()
    };
    resolve_query(&mut query.ast, &Tables).unwrap();
    let printed = query.ast.to_string();
    assert!(
        printed.starts_with("SELECT window_start, orderId FROM"),
        "{printed}"
    );
    assert!(
        printed.contains("__levada_window('tumble', orderId,"),
        "{printed}"
    );
    assert!(
        printed.ends_with("GROUP BY window_start, orderId"),
        "{printed}"
    );
}

#[test]
fn expressions_of_a_table() {
    let mut expression = parse_expression("PRICE + Orderid + ITEM.ITEMNAME").unwrap();
    let schema = Tables.find(&["Orders"]).unwrap().schema;
    resolve_expression(&mut expression.ast, &schema, &Tables).unwrap();
    assert_eq!(
        expression.ast.to_string(),
        "PRICE + orderId + item.itemName"
    );
}

#[test]
fn fields_that_are_not_there() {
    let refuse = |sql: &str, message: &str, column: u32| {
        let Statement::Query(mut query) = parse_one(sql).unwrap().statement else {
            panic!("{sql}");
        };
        let error = resolve_query(&mut query.ast, &Tables).unwrap_err();
        let rendered = error.render(sql);
        assert!(rendered.contains(message), "{rendered}");
        assert_eq!(error.location().unwrap().column, column, "{rendered}");
    };
    refuse(
        "SELECT item.itemNam FROM orders",
        "did you mean itemName?",
        13,
    );
    refuse(
        "SELECT 1 FROM orders o WHERE o.item.x = 1",
        "item has no field x",
        37,
    );
    refuse(
        "SELECT price.x FROM orders",
        "price has no field x: it is BIGINT, not a ROW",
        14,
    );
}
