//! One exchange of the reference crate, driven by lines of JSON.
//!
//! A line on stdin is a command, `{"id":1,"do":"connect","url":"ws://…"}` (see [`command::Command`]). Each is answered
//! on stdout by `{"id":1,"ok":{…}}` or `{"id":1,"error":"…"}`; what happens by itself arrives between
//! the answers as `{"event":"state",…}`. Logs go to stderr. The process ends when stdin does.

mod command;
mod contract;
mod output;
mod peer;
mod sink;
mod stream;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{command::Request, peer::Peer};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
	env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("hakuban=info")).format_timestamp_millis().init();
	let mut peer = Peer::new();
	let mut lines = BufReader::new(tokio::io::stdin()).lines();
	while let Ok(Some(line)) = lines.next_line().await {
		match serde_json::from_str::<Request>(&line) {
			Ok(request) => match peer.run(request.command).await {
				Ok(answer) => output::answer(request.id, answer),
				Err(reason) => output::failure(Some(request.id), &reason),
			},
			Err(error) => output::failure(output::id_of(&line), &format!("not a command: {error}")),
		}
	}
	std::process::exit(0);
}
