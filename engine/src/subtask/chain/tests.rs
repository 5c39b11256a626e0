#![allow(clippy::unwrap_used)]
use std::sync::{Arc, Mutex};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::*;
use crate::time::SystemClock;

type Log = Arc<Mutex<Vec<String>>>;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

fn batch(number: i64) -> Batch {
    let column = Int64Array::from(vec![number]);
    Batch::inserts(RecordBatch::try_new(schema(), vec![Arc::new(column)]).unwrap())
}

fn number(batch: &Batch) -> i64 {
    let column = batch.column(0).as_any().downcast_ref::<Int64Array>();
    column.unwrap().value(0)
}

/// Gives each number `n` as 10 n, 10 n + 1 and so on, `n` of them, one at a time, and one at the end of time.
struct Expands {
    left: Vec<i64>,
    log: Log,
}

impl Operator for Expands {
    fn process(&mut self, _: usize, batch: Batch, _: i64, output: &mut Output) -> Result<()> {
        assert!(!self.has_more(), "it is not asked while it has more");
        let number = number(&batch);
        self.left = (0..number).rev().map(|i| number * 10 + i).collect();
        self.give_more(output)
    }

    fn has_more(&self) -> bool {
        !self.left.is_empty()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        if let Some(number) = self.left.pop() {
            self.log.lock().unwrap().push(format!("gives {number}"));
            output.emit(self::batch(number));
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        assert!(!self.has_more(), "time does not move while it has more");
        let time = watermark.min(100);
        self.left = vec![time + 1, time];
        self.give_more(output)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        assert!(!self.has_more());
        self.left = vec![-2, -1];
        self.give_more(output)
    }
}

/// Notes what comes.
struct Notes(Log);

impl Operator for Notes {
    fn process(&mut self, _: usize, batch: Batch, _: i64, _: &mut Output) -> Result<()> {
        self.0
            .lock()
            .unwrap()
            .push(format!("takes {}", number(&batch)));
        Ok(())
    }

    fn watermark(&mut self, watermark: EventTime, _: &mut Output) -> Result<()> {
        self.0.lock().unwrap().push(format!("time {watermark}"));
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        self.0.lock().unwrap().push("end".into());
        Ok(())
    }
}

fn node(name: &str, operator: impl Operator + 'static, targets: Vec<Target>) -> Node {
    let targets = targets.into_iter().map(|t| (OutputPort::Main, t)).collect();
    Node {
        uid: name.into(),
        name: name.into(),
        stage: Stage::Operator(Box::new(operator)),
        schema: schema(),
        partial_input: false,
        targets,
        inputs: WatermarkMerger::new([(0, 0)]),
    }
}

#[test]
fn what_an_operator_has_more_leaves_before_it_gives_the_next() {
    let log = Log::default();
    let expands = Expands {
        left: vec![],
        log: Arc::clone(&log),
    };
    let next = |node| vec![Target::Chained { node, input: 0 }];
    let nodes = vec![
        node("expands", expands, next(1)),
        node("notes", Notes(Arc::clone(&log)), vec![]),
    ];
    let mut chain = Chain::new(nodes, vec![], Default::default(), Arc::new(SystemClock));
    let said = |log: &Log| std::mem::take(&mut *log.lock().unwrap());
    chain.push(0, 0, 0, Event::Batch(batch(2))).unwrap();
    assert_eq!(said(&log), ["gives 20", "takes 20", "gives 21", "takes 21"]);
    let time = Event::Watermark(5);
    chain.push(0, 0, 0, time).unwrap();
    let expected = ["gives 5", "takes 5", "gives 6", "takes 6", "time 5"];
    assert_eq!(said(&log), expected);
    chain.push(0, 0, 0, Event::End).unwrap();
    let said = said(&log);
    assert!(
        said.ends_with(&["gives -2".into(), "takes -2".into(), "end".into()]),
        "{said:?}"
    );
    assert!(chain.has_ended());
}

#[test]
fn what_waits_for_an_operator_that_has_more_keeps_its_order() {
    let log = Log::default();
    let expands = || Expands {
        left: vec![],
        log: Log::default(),
    };
    let next = |node| vec![Target::Chained { node, input: 0 }];
    // The second one has more to give of each of the rows that the first one gives.
    let nodes = vec![
        node("first", expands(), next(1)),
        node("second", expands(), next(2)),
        node("notes", Notes(Arc::clone(&log)), vec![]),
    ];
    let mut chain = Chain::new(nodes, vec![], Default::default(), Arc::new(SystemClock));
    chain.push(0, 0, 0, Event::Batch(batch(3))).unwrap();
    chain.push(0, 0, 0, Event::Watermark(7)).unwrap();
    let mut expected: Vec<String> = vec![];
    // Those of the watermark as well: 7 and 8 of the first one, and then 7 and 8 of the second.
    for number in [30, 31, 32, 7, 8] {
        expected.extend((0..number).map(|i| format!("takes {}", number * 10 + i)));
    }
    expected.extend(["takes 7", "takes 8", "time 7"].map(String::from));
    assert_eq!(*log.lock().unwrap(), expected);
}
