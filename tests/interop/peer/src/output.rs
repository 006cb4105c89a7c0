//! Lines to the test: whole, one at a time, written at once.

use std::io::Write;

use hakuban::ObjectDescriptor;
use serde_json::{Value, json};

pub fn answer(id: u64, value: Value) {
	line(&json!({ "id": id, "ok": value }));
}

pub fn failure(id: Option<u64>, reason: &str) {
	line(&json!({ "id": id, "error": reason }));
}

/// An event line: `fields` is an object, to which the event's name is added.
pub fn event(name: &str, mut fields: Value) {
	fields["event"] = name.into();
	line(&fields);
}

/// The fields by which a test recognises an object, sorted, so that the line does not depend on the order of a set.
pub fn object_fields(descriptor: &ObjectDescriptor) -> (Vec<String>, String) {
	let mut tags = descriptor.tags_to_strings();
	tags.sort();
	(tags, descriptor.json_to_string())
}

/// The id of a line that is not a command, if it has one.
pub fn id_of(line: &str) -> Option<u64> {
	serde_json::from_str::<Value>(line).ok()?.get("id")?.as_u64()
}

fn line(value: &Value) {
	let mut text = value.to_string();
	text.push('\n');
	let mut stdout = std::io::stdout().lock();
	// The test is gone when this fails; stdin's end is about to tell so.
	let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
