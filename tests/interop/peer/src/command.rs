//! The commands that a test may give.

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Request {
	pub id: u64,
	#[serde(flatten)]
	pub command: Command,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Command {
	/// Dials a parent. Events `upstream-connected` and `upstream-lost` follow.
	Connect { url: String },
	Disconnect,
	/// Accepts children, on any free port when the URL's port is 0; answers `{"url":…}`.
	Listen { url: String, rebalance: Option<Rebalance> },
	/// Stops accepting children.
	Unlisten,
	/// Opens a contract under a name of the test's choice.
	Open(Open),
	/// Lets a contract with `"take":"manual"` hand out this many more sinks or streams.
	Take { contract: String, count: usize },
	DropContract { contract: String },
	/// Publishes a state on a sink; the version is the crate's default (its clock) when none is given.
	Send { sink: u64, data: String, format: Vec<String>, version: Option<Vec<i64>>, synchronized: u64 },
	DropSink { sink: u64 },
	/// Lets a stream of a contract with `"read":"manual"` read this many more states.
	Read { stream: u64, count: usize },
	DropStream { stream: u64 },
	/// Reads a monitor object by the crate's own type and gives it back as JSON.
	Decode { r#type: MonitorType, data: String },
	/// This process's own snapshot.
	Snapshot { r#type: MonitorType },
}

#[derive(Deserialize)]
pub struct Rebalance {
	pub interval_ms: u64,
	pub threshold: f64,
}

#[derive(Deserialize)]
pub struct Open {
	pub contract: String,
	pub kind: Kind,
	#[serde(flatten)]
	pub target: Target,
	pub capacity: Option<u32>,
	#[serde(default)]
	pub take: Pace,
	#[serde(default)]
	pub read: Pace,
	/// Hold a revoked sink or closed stream until it is dropped by command, instead of at once.
	#[serde(default)]
	pub keep: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
	Observe,
	Expose,
}

/// Ids are JSON texts, as on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
	Object { tags: Vec<String>, json: String },
	Tag(String),
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
	#[default]
	Auto,
	Manual,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonitorType {
	Exchange,
	WebsocketListener,
	WebsocketConnector,
}
