//! The benchmark's queries parse, resolve and plan.

use std::collections::HashMap;
use std::path::Path;

use datafusion::datasource::{MemTable, ViewTable};

use super::*;
use crate::parser::names::{FoundTable, TableNames, resolve, resolve_query};
use crate::parser::{ColumnKind, CreateTable, Query, parse};

/// The tables and views that a script has created so far.
struct Catalog {
    context: SessionContext,
    schemas: HashMap<String, Arc<Schema>>,
}

impl TableNames for Catalog {
    fn find(&self, name: &[&str]) -> Option<FoundTable> {
        let found = resolve(name.last()?, self.schemas.keys().map(String::as_str))?;
        Some(FoundTable {
            name: vec![found.to_string()],
            schema: Arc::clone(self.schemas.get(found)?),
        })
    }
}

impl Catalog {
    fn create_table(&mut self, table: &CreateTable) {
        let timestamp = DataType::Timestamp(TimeUnit::Millisecond, None);
        let fields: Vec<Field> = table
            .declaration
            .columns
            .iter()
            .map(|column| match &column.kind {
                ColumnKind::Physical(data_type) => data_type.to_field(&column.name.value),
                _ => Field::new(&column.name.value, timestamp.clone(), true),
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let provider = MemTable::try_new(Arc::clone(&schema), vec![vec![]]).unwrap();
        let name = table.name.to_string();
        let _ = self.context.deregister_table(name.as_str());
        self.context
            .register_table(name.as_str(), Arc::new(provider))
            .unwrap();
        self.schemas.insert(name, schema);
    }

    fn plan(&self, mut query: Query) -> Result<datafusion::logical_expr::LogicalPlan, PlanError> {
        resolve_query(&mut query.ast, self)?;
        let statement = DfStatement::Statement(Box::new(AstStatement::Query(query.ast)));
        Ok(block(self.context.state().statement_to_plan(statement))?)
    }

    /// Runs the definitions of a script, and returns the columns of each of its inserts.
    fn run(&mut self, script: &str) -> Vec<Vec<(String, String)>> {
        let mut inserts = Vec::new();
        for parsed in parse(script).unwrap_or_else(|error| panic!("{}", error.render(script))) {
            let fail = |error: PlanError| -> ! { panic!("{}", error.render(script)) };
            match parsed.statement {
                Statement::CreateTable(table) => self.create_table(&table),
                Statement::CreateView(view) => {
                    let plan = self.plan(view.query).unwrap_or_else(|error| fail(error));
                    let schema = Arc::new(plan.schema().as_arrow().clone());
                    let name = view.name.to_string();
                    let provider = Arc::new(ViewTable::new(plan, None));
                    self.context
                        .register_table(name.as_str(), provider)
                        .unwrap();
                    self.schemas.insert(name, schema);
                }
                Statement::Insert(insert) => {
                    let plan = self.plan(insert.query).unwrap_or_else(|error| fail(error));
                    let fields = plan.schema().fields().iter();
                    let shown = |f: &Arc<Field>| {
                        (
                            f.name().clone(),
                            SqlType::from_arrow(f.data_type()).to_string(),
                        )
                    };
                    inserts.push(fields.map(shown).collect());
                }
                other => panic!("{other:?}"),
            }
        }
        inserts
    }
}

#[test]
fn every_query_plans_and_fits_its_sink() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benchmarks/nexmark");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let fill = |text: String| {
        text.replace("${path}", "/x")
            .replace("${delay}", "4")
            .replace("${sink}", "'connector' = 'blackhole'")
    };
    let mut queries: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('q') && name.ends_with(".sql"))
        .collect();
    queries.sort();
    assert!(queries.len() >= 10, "{queries:?}");
    for name in queries {
        let mut catalog = Catalog {
            context: session(None),
            schemas: HashMap::new(),
        };
        catalog.run(&fill(read("ddl.sql")));
        let bid: Vec<&str> = catalog.schemas["bid"]
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        assert_eq!(
            bid,
            [
                "auction", "bidder", "price", "channel", "url", "dateTime", "extra"
            ]
        );
        let inserts = catalog.run(&fill(read(&name)));
        let sink = catalog.schemas["sink"].fields();
        assert_eq!(inserts.len(), 1, "{name}");
        assert_eq!(inserts[0].len(), sink.len(), "{name}: {:?}", inserts[0]);
    }
}
