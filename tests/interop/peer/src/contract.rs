//! A contract in a task of its own, which hands out what the contract emits at the pace that the test asked for.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::sync::{Semaphore, oneshot};

use crate::command::Pace;

/// The test's end of a contract task.
pub struct Handle {
	permits: Arc<Semaphore>,
	stop: oneshot::Sender<oneshot::Sender<()>>,
}

impl Handle {
	pub fn spawn<C>(mut contract: C, take: Pace, hand_out: impl Fn(C::Item) + Send + Sync + 'static) -> Handle
	where
		C: Stream + Unpin + Send + 'static,
		C::Item: Send,
	{
		let permits = Arc::new(Semaphore::new(0));
		let (stop, mut stopped) = oneshot::channel::<oneshot::Sender<()>>();
		let task_permits = permits.clone();
		tokio::spawn(async move {
			let mut may_take = take == Pace::Auto;
			loop {
				tokio::select! {
					biased;
					done = &mut stopped => {
						drop(contract);
						if let Ok(done) = done {
							let _ = done.send(());
						}
						return;
					}
					permit = task_permits.acquire(), if !may_take => {
						permit.expect("never closed").forget();
						may_take = true;
					}
					item = contract.next(), if may_take => {
						let Some(item) = item else { return };
						hand_out(item);
						may_take = take == Pace::Auto;
					}
				}
			}
		});
		Handle { permits, stop }
	}

	pub fn take(&self, count: usize) {
		self.permits.add_permits(count);
	}

	/// Drops the contract, and returns when that is done.
	pub async fn drop(self) {
		let (done, dropped) = oneshot::channel();
		if self.stop.send(done).is_ok() {
			let _ = dropped.await;
		}
	}
}
