//! How expressions and schemas are written inside a job graph.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::try_schema_from_flatbuffer_bytes;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are written as Base64 in text encodings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WireBytes(pub Vec<u8>);

impl Serialize for WireBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for WireBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(WireBytes)
            .map_err(D::Error::custom)
    }
}

/// A physical expression over the columns of an operator's input.
///
/// The bytes are a datafusion-proto `PhysicalExprNode`; `text` is the same for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expression {
    /// The encoded expression.
    pub encoded: WireBytes,
    /// The expression for EXPLAIN and logs.
    pub text: String,
}

/// An Arrow schema that can be written into a job graph (as an Arrow IPC schema message).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireSchema(pub SchemaRef);

impl From<SchemaRef> for WireSchema {
    fn from(schema: SchemaRef) -> Self {
        WireSchema(schema)
    }
}

impl std::ops::Deref for WireSchema {
    type Target = SchemaRef;
    fn deref(&self) -> &SchemaRef {
        &self.0
    }
}

impl Serialize for WireSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tracker = DictionaryTracker::new(false);
        let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
            &self.0,
            &mut tracker,
            &IpcWriteOptions::default(),
        );
        WireBytes(encoded.ipc_message).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WireSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = WireBytes::deserialize(deserializer)?;
        decode_schema(&bytes.0)
            .map(WireSchema)
            .map_err(D::Error::custom)
    }
}

fn decode_schema(bytes: &[u8]) -> Result<SchemaRef, String> {
    let message = arrow::ipc::root_as_message(bytes).map_err(|e| format!("not a schema: {e}"))?;
    match message.header_as_schema() {
        Some(schema) => Ok(Arc::new(arrow::ipc::convert::fb_to_schema(schema))),
        None => try_schema_from_flatbuffer_bytes(bytes)
            .map(|s: Schema| Arc::new(s))
            .map_err(|e| e.to_string()),
    }
}
