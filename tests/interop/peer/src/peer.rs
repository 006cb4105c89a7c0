//! The exchange, its links and its contracts.

use std::{collections::HashMap, sync::Arc, time::Duration};

use data_encoding::BASE64;
use hakuban::{
	DataSynchronized, Exchange, ObjectDescriptor, ObjectState, TagDescriptor,
	monitor::ExchangeSnapshot,
	tokio_runtime::{
		WebsocketConnector, WebsocketListener,
		monitor::{WebsocketConnectorSnapshot, WebsocketListenerSnapshot},
	},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
	command::{Command, Kind, MonitorType, Open, Rebalance, Target},
	contract::Handle,
	output,
	sink::Sinks,
	stream::Streams,
};

pub struct Peer {
	exchange: Exchange,
	connector: Option<Connector>,
	listener: Option<Listener>,
	contracts: HashMap<String, Handle>,
	sinks: Sinks,
	streams: Streams,
}

struct Connector {
	inner: Arc<WebsocketConnector>,
	watch: JoinHandle<()>,
}

struct Listener {
	inner: WebsocketListener,
	rebalance: Option<JoinHandle<()>>,
}

impl Peer {
	pub fn new() -> Peer {
		Peer {
			exchange: Exchange::new(),
			connector: None,
			listener: None,
			contracts: HashMap::new(),
			sinks: Sinks::default(),
			streams: Streams::default(),
		}
	}

	pub async fn run(&mut self, command: Command) -> Result<Value, String> {
		match command {
			Command::Connect { url } => self.connect(&url)?,
			Command::Disconnect => self.disconnect().await?,
			Command::Listen { url, rebalance } => return self.listen(&url, rebalance).await,
			Command::Unlisten => self.unlisten()?,
			Command::Open(open) => self.open(open)?,
			Command::Take { contract, count } => self.contract(&contract)?.take(count),
			Command::DropContract { contract } => {
				let handle = self.contracts.remove(&contract).ok_or_else(|| no_contract(&contract))?;
				handle.drop().await;
			}
			Command::Send { sink, data, format, version, synchronized } => {
				let data = Arc::new(BASE64.decode(data.as_bytes()).map_err(|error| format!("data: {error}"))?);
				let mut state = ObjectState::new(data).with_format(format).with_synchronized(DataSynchronized::from_micros_ago(synchronized));
				if let Some(version) = version {
					state = state.with_version(version);
				}
				let version = state.version.clone();
				self.sinks.send(sink, state).await?;
				return Ok(json!({ "version": version }));
			}
			Command::DropSink { sink } => self.sinks.drop(sink).await?,
			Command::Read { stream, count } => self.streams.read(stream, count)?,
			Command::DropStream { stream } => self.streams.drop(stream).await?,
			Command::Decode { r#type, data } => return decode(r#type, &data),
			Command::Snapshot { r#type } => return self.snapshot(r#type),
		}
		Ok(json!({}))
	}

	fn connect(&mut self, url: &str) -> Result<(), String> {
		if self.connector.is_some() {
			return Err("already connected: an exchange has one parent".to_string());
		}
		let inner = Arc::new(WebsocketConnector::new(self.exchange.clone(), url).map_err(|error| error.to_string())?);
		let watch = tokio::spawn(watch(inner.clone()));
		self.connector = Some(Connector { inner, watch });
		Ok(())
	}

	async fn disconnect(&mut self) -> Result<(), String> {
		let Connector { inner, watch } = self.connector.take().ok_or("not connected")?;
		// The watcher holds the connector too: only when it is gone does dropping ours end the link.
		watch.abort();
		let _ = watch.await;
		drop(inner);
		Ok(())
	}

	async fn listen(&mut self, url: &str, rebalance: Option<Rebalance>) -> Result<Value, String> {
		if self.listener.is_some() {
			return Err("already listening".to_string());
		}
		let inner = WebsocketListener::new(self.exchange.clone(), url).await.map_err(|error| error.to_string())?;
		let url = inner.snapshot().url;
		let exchange = self.exchange.clone();
		let rebalance = rebalance.map(|rebalance| {
			tokio::spawn(async move {
				loop {
					let next = exchange.rebalance(Duration::from_millis(rebalance.interval_ms), rebalance.threshold);
					tokio::time::sleep_until(next.into()).await;
				}
			})
		});
		self.listener = Some(Listener { inner, rebalance });
		Ok(json!({ "url": url }))
	}

	fn unlisten(&mut self) -> Result<(), String> {
		let listener = self.listener.take().ok_or("not listening")?;
		if let Some(rebalance) = listener.rebalance {
			rebalance.abort();
		}
		Ok(())
	}

	fn open(&mut self, open: Open) -> Result<(), String> {
		let Open { contract, kind, target, capacity, take, read, keep } = open;
		if self.contracts.contains_key(&contract) {
			return Err(format!("a contract named {contract:?} is open"));
		}
		if kind == Kind::Observe && capacity.is_some() {
			return Err("an observer has no capacity".to_string());
		}
		let name = contract.clone();
		let (sinks, streams) = (self.sinks.clone(), self.streams.clone());
		let handle = match (target, kind) {
			(Target::Object { tags, json }, Kind::Observe) => {
				let contract = self.exchange.object_observe_contract(object(tags, json)?).build();
				Handle::spawn(contract, take, move |stream| streams.add(&name, stream, read, keep))
			}
			(Target::Tag(json), Kind::Observe) => {
				let contract = self.exchange.tag_observe_contract(tag(json)?).build();
				Handle::spawn(contract, take, move |stream| streams.add(&name, stream, read, keep))
			}
			(Target::Object { tags, json }, Kind::Expose) => {
				let mut builder = self.exchange.object_expose_contract(object(tags, json)?);
				if let Some(capacity) = capacity {
					builder = builder.with_capacity(capacity);
				}
				Handle::spawn(builder.build(), take, move |sink| sinks.add(&name, sink, keep))
			}
			(Target::Tag(json), Kind::Expose) => {
				let mut builder = self.exchange.tag_expose_contract(tag(json)?);
				if let Some(capacity) = capacity {
					builder = builder.with_capacity(capacity);
				}
				Handle::spawn(builder.build(), take, move |sink| sinks.add(&name, sink, keep))
			}
		};
		self.contracts.insert(contract, handle);
		Ok(())
	}

	fn contract(&self, name: &str) -> Result<&Handle, String> {
		self.contracts.get(name).ok_or_else(|| no_contract(name))
	}

	fn snapshot(&self, kind: MonitorType) -> Result<Value, String> {
		match kind {
			MonitorType::Exchange => to_json(&self.exchange.snapshot()),
			MonitorType::WebsocketListener => to_json(&self.listener.as_ref().ok_or("not listening")?.inner.snapshot()),
			MonitorType::WebsocketConnector => to_json(&self.connector.as_ref().ok_or("not connected")?.inner.snapshot()),
		}
	}
}

/// Tells when the link to the parent comes and goes: the crate has no event for it, only a snapshot.
async fn watch(connector: Arc<WebsocketConnector>) {
	let mut last = None;
	loop {
		let upstream = connector.snapshot().upstream_connection;
		// A link that was replaced between two looks has another id.
		let current = upstream.as_ref().map(|upstream| upstream.upstream_connection_id);
		if current != last {
			if let Some(id) = last {
				output::event("upstream-lost", json!({ "link": id }));
			}
			if let Some(id) = current {
				output::event("upstream-connected", json!({ "link": id }));
			}
			last = current;
		}
		tokio::time::sleep(Duration::from_millis(2)).await;
	}
}

fn object(tags: Vec<String>, json: String) -> Result<ObjectDescriptor, String> {
	ObjectDescriptor::from_json_strings(tags, json).map_err(|error| format!("object id: {error}"))
}

fn tag(json: String) -> Result<TagDescriptor, String> {
	TagDescriptor::from_json_string(json).map_err(|error| format!("tag id: {error}"))
}

fn no_contract(name: &str) -> String {
	format!("no contract named {name:?} is open")
}

fn decode(kind: MonitorType, data: &str) -> Result<Value, String> {
	fn through<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<Value, String> {
		to_json(&serde_json::from_slice::<T>(bytes).map_err(|error| format!("the reference cannot read it: {error}"))?)
	}
	let bytes = BASE64.decode(data.as_bytes()).map_err(|error| format!("data: {error}"))?;
	match kind {
		MonitorType::Exchange => through::<ExchangeSnapshot>(&bytes),
		MonitorType::WebsocketListener => through::<WebsocketListenerSnapshot>(&bytes),
		MonitorType::WebsocketConnector => through::<WebsocketConnectorSnapshot>(&bytes),
	}
}

fn to_json(value: &impl Serialize) -> Result<Value, String> {
	serde_json::to_value(value).map_err(|error| error.to_string())
}
