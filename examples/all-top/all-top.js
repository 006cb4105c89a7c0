// The Rust crate's example of the same name, in the reference's own names: who exposes objects with the tag "utilizations" is shown with
// the load of each of its processors. Ids come from anybody: they are shown as text.
import * as hakuban from "../../clients/typescript/dist/hakuban.min.js";

const router = new URLSearchParams(location.search).get("router") ?? "ws://127.0.0.1:3001";

window.onload = async () => {
	await hakuban.initialize("info");
	const exchange = new hakuban.Exchange("all-top.html");
	new hakuban.WebsocketConnector(exchange, router);

	const hosts = new Map();
	const observe_contract = exchange.tag_observe_contract("utilizations").build();
	await observe_contract.for_each_concurrent(async (host_utilization_stream) => {
		const { json } = host_utilization_stream.descriptor();
		const host_id = `${json.host}:${json.process}`;
		await host_utilization_stream.for_each(async (host_utilization_state) => {
			hosts.set(host_id, host_utilization_state.json_deserialize().data);
			show(hosts);
		});
		hosts.delete(host_id);
		show(hosts);
	});
};

/** Shows a row for each host, with a bar for each of its processors. */
function show(hosts) {
	const rows = [...hosts].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([host_id, { percentage }]) => [
		element("div", { className: "host", textContent: host_id }),
		element("div", { className: "loads" }, percentage.map((load) => {
			const bar = element("div", { className: "load", title: `${load} %` });
			bar.style.setProperty("--load", `${Number(load)}%`);
			return bar;
		})),
	]);
	document.querySelector("main").replaceChildren(...rows);
}

function element(name, properties, children = []) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children);
	return made;
}
