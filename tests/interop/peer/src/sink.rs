//! Sinks that a contract has handed out, each in a task of its own.

use std::{
	collections::HashMap,
	sync::{
		Arc, Mutex,
		atomic::{AtomicU64, Ordering::Relaxed},
	},
};

use futures::{SinkExt, StreamExt};
use hakuban::{DataBytes, ObjectState, ObjectStateSink};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::output;

enum Order {
	Send(ObjectState<DataBytes>, oneshot::Sender<()>),
	Drop(oneshot::Sender<()>),
}

#[derive(Clone, Default)]
pub struct Sinks {
	last_id: Arc<AtomicU64>,
	open: Arc<Mutex<HashMap<u64, mpsc::UnboundedSender<Order>>>>,
}

impl Sinks {
	/// Announces a sink (`sink-offered`) and serves it until it is revoked (`sink-revoked`) and dropped.
	pub fn add(&self, contract: &str, sink: ObjectStateSink, keep: bool) {
		let id = self.last_id.fetch_add(1, Relaxed) + 1;
		let (orders, inbox) = mpsc::unbounded_channel();
		self.open.lock().unwrap().insert(id, orders);
		let (tags, json) = output::object_fields(sink.descriptor());
		output::event("sink-offered", json!({ "sink": id, "contract": contract, "tags": tags, "json": json }));
		tokio::spawn(self.clone().serve(id, contract.to_string(), sink, keep, inbox));
	}

	pub async fn send(&self, id: u64, state: ObjectState<DataBytes>) -> Result<(), String> {
		self.order(id, |done| Order::Send(state, done)).await
	}

	pub async fn drop(&self, id: u64) -> Result<(), String> {
		self.order(id, Order::Drop).await
	}

	async fn order(&self, id: u64, order: impl FnOnce(oneshot::Sender<()>) -> Order) -> Result<(), String> {
		let (done, finished) = oneshot::channel();
		let inbox = self.open.lock().unwrap().get(&id).cloned().ok_or_else(|| format!("no sink {id}: never offered, or revoked, or dropped"))?;
		inbox.send(order(done)).map_err(|_| format!("sink {id} is gone"))?;
		finished.await.map_err(|_| format!("sink {id} was revoked"))
	}

	async fn serve(self, id: u64, contract: String, mut sink: ObjectStateSink, keep: bool, mut inbox: mpsc::UnboundedReceiver<Order>) {
		let mut revoked = false;
		loop {
			tokio::select! {
				biased;
				params = sink.next(), if !revoked => if params.is_none() {
					revoked = true;
					output::event("sink-revoked", json!({ "sink": id, "contract": contract }));
					if !keep {
						self.open.lock().unwrap().remove(&id);
						return;
					}
				},
				order = inbox.recv() => match order {
					Some(Order::Send(state, done)) => {
						// The crate's sink is always ready and never fails.
						if sink.send(state).await.is_ok() {
							let _ = done.send(());
						}
					}
					Some(Order::Drop(done)) => {
						self.open.lock().unwrap().remove(&id);
						drop(sink);
						let _ = done.send(());
						return;
					}
					None => return,
				},
			}
		}
	}
}
