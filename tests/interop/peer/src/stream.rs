//! Streams that a contract has handed out, each in a task of its own.

use std::{
	collections::HashMap,
	sync::{
		Arc, Mutex,
		atomic::{AtomicU64, Ordering::Relaxed},
	},
};

use futures::StreamExt;
use hakuban::ObjectStateStream;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{command::Pace, output};

enum Order {
	Read(usize),
	Drop(oneshot::Sender<()>),
}

#[derive(Clone, Default)]
pub struct Streams {
	last_id: Arc<AtomicU64>,
	open: Arc<Mutex<HashMap<u64, mpsc::UnboundedSender<Order>>>>,
}

impl Streams {
	/// Announces a stream (`stream-opened`) and reads it (`state`) until it ends (`stream-closed`) and is dropped.
	pub fn add(&self, contract: &str, stream: ObjectStateStream, read: Pace, keep: bool) {
		let id = self.last_id.fetch_add(1, Relaxed) + 1;
		let (orders, inbox) = mpsc::unbounded_channel();
		self.open.lock().unwrap().insert(id, orders);
		let (tags, json) = output::object_fields(stream.descriptor());
		output::event("stream-opened", json!({ "stream": id, "contract": contract, "tags": tags, "json": json }));
		tokio::spawn(self.clone().serve(id, contract.to_string(), stream, read, keep, inbox));
	}

	pub fn read(&self, id: u64, count: usize) -> Result<(), String> {
		self.inbox(id)?.send(Order::Read(count)).map_err(|_| format!("stream {id} is gone"))
	}

	pub async fn drop(&self, id: u64) -> Result<(), String> {
		let (done, dropped) = oneshot::channel();
		self.inbox(id)?.send(Order::Drop(done)).map_err(|_| format!("stream {id} is gone"))?;
		dropped.await.map_err(|_| format!("stream {id} ended"))
	}

	fn inbox(&self, id: u64) -> Result<mpsc::UnboundedSender<Order>, String> {
		self.open.lock().unwrap().get(&id).cloned().ok_or_else(|| format!("no stream {id}: never opened, or ended, or dropped"))
	}

	async fn serve(self, id: u64, contract: String, mut stream: ObjectStateStream, read: Pace, keep: bool, mut inbox: mpsc::UnboundedReceiver<Order>) {
		let mut may_read = 0;
		let mut ended = false;
		loop {
			tokio::select! {
				biased;
				order = inbox.recv() => match order {
					Some(Order::Read(count)) => may_read += count,
					Some(Order::Drop(done)) => {
						self.open.lock().unwrap().remove(&id);
						drop(stream);
						let _ = done.send(());
						return;
					}
					None => return,
				},
				state = stream.next(), if !ended && (read == Pace::Auto || may_read > 0) => match state {
					Some(state) => {
						may_read = may_read.saturating_sub(1);
						output::event("state", json!({
							"stream": id,
							"contract": contract,
							"data": data_encoding::BASE64.encode(&state.data),
							"format": state.format,
							"version": state.version,
							"synchronized": state.synchronized.micros_ago(),
						}));
					}
					None => {
						ended = true;
						output::event("stream-closed", json!({ "stream": id, "contract": contract }));
						if !keep {
							self.open.lock().unwrap().remove(&id);
							return;
						}
					}
				},
			}
		}
	}
}
